"""The explorables of figures 8.4, 8.5 and 8.9 in JupyterLab: mouse, keyboard, state in Python."""

import pytest
from test_explorables_browser import assert_clean, look, show, state_in_python

from course_lib.explorables import BandedMatrix, ReceptiveFieldBuilder, TransposedConvolutionSteps

pytestmark = pytest.mark.browser

#: High enough that the whole view is on the screenshot.
WHOLE_CARD = {"width": 1280, "height": 1500}

WAIT_MS = 120_000


def expect(locator):
    # Imported late: only a test that has a browser needs Playwright.
    from playwright.sync_api import expect as playwright_expect

    return playwright_expect(locator)


def see(locator, text):
    expect(locator).to_contain_text(text, timeout=WAIT_MS)


def python_has(lab, page, accept):
    """Read the state in Python until `accept(state)`: on a busy machine the browser's message takes its time."""
    for _ in range(10):
        state = state_in_python(lab, page)
        if accept(state):
            return state
    pytest.fail(f"the state in Python stayed at {state}")


def assert_same_sentence(card, explorable, state):
    expect(card.locator(".ce-summary")).to_have_text(explorable(**state).summary(), timeout=WAIT_MS)


def photograph(page, card, name):
    # Else JupyterLab's toolbar may cover the head of the card.
    card.evaluate("node => node.scrollIntoView({ block: 'center' })")
    look(page, card, name)


def test_receptive_field_builder(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size(WHOLE_CARD)
    card = show(jupyter_lab, page, ReceptiveFieldBuilder)
    # Keyboard: guess, then give the second layer a stride.
    card.get_by_role("button", name="12 px").focus()
    page.keyboard.press("Enter")
    see(card, "Right: 1 → 3 → 4 → 8 → 12 px")
    card.get_by_label("layer 2, stride").focus()
    page.keyboard.press("ArrowDown")
    # Mouse: a pooling more, then the last pixel of the output.
    card.get_by_role("button", name="+ pooling").click()
    output = card.get_by_role("img", name="output map, 8 × 8")
    size = output.bounding_box()
    output.click(position={"x": size["width"] - 8, "y": size["height"] - 8})
    # The footprint lights up by itself, one layer after the other.
    state = python_has(jupyter_lab, page, lambda state: (state["row"], state["lit"]) == (28, 4))
    assert [layer["stride"] for layer in state["layers"]] == [1, 2, 1, 2]
    assert state["layers"][3]["kind"] == "pooling"
    assert (state["column"], state["prediction"]) == (28, "12 px")
    assert_same_sentence(card, ReceptiveFieldBuilder, state)
    card.get_by_label("preset").select_option("six 3 × 3")
    card.get_by_label("layer 6, kernel size").select_option("k = 5")
    python_has(jupyter_lab, page, lambda state: [layer["kernel_size"] for layer in state["layers"]] == [3] * 5 + [5])
    card.get_by_label("remove layer 6").click()
    see(card.locator(".ce-summary"), "5 layers: an output pixel sees 11 x 11")
    # Every step of this slider is a new effective field, averaged over 20 networks.
    card.get_by_role("button", name="Reset").click()
    card.get_by_label("preset").select_option("pyramid")
    photograph(page, card, "receptive_field_builder")
    assert_clean(jupyter_lab, page)


def test_banded_matrix(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size(WHOLE_CARD)
    card = show(jupyter_lab, page, BandedMatrix)
    # Keyboard: the number of free weights, and one time step more.
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    see(card, "Right. 35 entries, 15 of them in the band")
    card.get_by_label("trace length").focus()
    page.keyboard.press("ArrowRight")
    # Mouse: untie, fill, and hover the last row of the matrix.
    card.get_by_role("button", name="Untie weights").click()
    python_has(jupyter_lab, page, lambda state: state["stage"] == "locally connected")
    card.get_by_role("button", name="Fill the band").click()
    matrix = card.get_by_role("img")
    size = matrix.bounding_box()
    matrix.hover(position={"x": size["width"] / 2, "y": size["height"] - 40})
    state = python_has(jupyter_lab, page, lambda state: (state["stage"], state["row"]) == ("dense", 5))
    assert (state["length"], state["prediction"]) == (6, 3)
    assert_same_sentence(card, BandedMatrix, state)
    see(card, "48 free")
    card.get_by_role("radio", name="untied").check()
    card.get_by_label("output looked at").fill("2")
    photograph(page, card, "banded_matrix")
    assert_clean(jupyter_lab, page)


def test_transposed_convolution_steps(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size(WHOLE_CARD)
    card = show(jupyter_lab, page, TransposedConvolutionSteps)
    # Keyboard: guess, change a pixel, make the filter larger.
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    see(card, "Right. 4 patches meet in the middle and make 10")
    card.get_by_label("image, row 1, column 2").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("-3")
    card.get_by_label("filter size k").focus()
    page.keyboard.press("ArrowRight")
    # Mouse: one patch back, then the comparison.
    card.get_by_role("button", name="Back").click()
    card.get_by_text("compare with upsampling").click()
    state = python_has(jupyter_lab, page, lambda state: state["compare"])
    assert (state["image"], state["kernel_size"], state["step"]) == ([[2, -3], [1, 3]], 4, 3)
    see(card, "no checkerboard")
    assert_same_sentence(card, TransposedConvolutionSteps, state)
    # A larger image comes with as many inputs.
    card.get_by_label("image", exact=True).select_option("3 × 3 ones")
    expect(card.get_by_role("spinbutton")).to_have_count(9, timeout=WAIT_MS)
    card.get_by_role("button", name="Reset").click()
    python_has(jupyter_lab, page, lambda state: state["image"] == [[2, 4], [1, 3]])
    card.get_by_text("compare with upsampling").click()
    photograph(page, card, "transposed_convolution_steps")
    assert_clean(jupyter_lab, page)
