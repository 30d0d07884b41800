"""The explorables of figures 8.4, 8.5 and 8.9 in JupyterLab: mouse, keyboard, state in Python, cost of a frame."""

import pytest
from test_explorables_browser import (
    FRAME_MS,
    assert_clean,
    look,
    median_frame_ms,
    show,
    state_in_python,
)

from course_lib.explorables import BandedMatrix, ReceptiveFieldBuilder, TransposedConvolutionSteps

pytestmark = pytest.mark.browser


def assert_fast(page, card, slider):
    """Hold the redraws to one frame each; once in three tries, because others may keep the machine busy."""
    medians = []
    while len(medians) < 3 and not (medians and medians[-1] < FRAME_MS):
        medians.append(median_frame_ms(page, card, slider))
    print(f"{card.get_attribute('aria-label')}: a redraw costs {medians} ms")
    assert min(medians) < FRAME_MS


def test_receptive_field_builder(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, ReceptiveFieldBuilder)
    # Keyboard: guess, then give the second layer a stride.
    card.get_by_role("button", name="12 px").focus()
    page.keyboard.press("Enter")
    assert "Right" in card.inner_text()
    card.get_by_label("layer 2, stride").focus()
    page.keyboard.press("ArrowDown")
    # Mouse: a pooling more, then the last pixel of the output.
    card.get_by_role("button", name="+ pooling").click()
    output = card.get_by_role("img", name="output map, 8 × 8")
    size = output.bounding_box()
    output.click(position={"x": size["width"] - 8, "y": size["height"] - 8})
    state = state_in_python(jupyter_lab, page)
    assert [layer["stride"] for layer in state["layers"]] == [1, 2, 1, 2]
    assert state["layers"][3]["kind"] == "pooling"
    assert (state["row"], state["column"], state["prediction"]) == (28, 28, "12 px")
    # The footprint lights up by itself, one layer after the other.
    page.wait_for_timeout(2500)
    state = state_in_python(jupyter_lab, page)
    assert state["lit"] == 4
    assert ReceptiveFieldBuilder(**state).summary() == card.locator(".ce-summary").inner_text()
    card.get_by_label("preset").select_option("six 3 × 3")
    card.get_by_label("layer 6, kernel size").select_option("k = 5")
    assert state_in_python(jupyter_lab, page)["layers"][5]["kernel_size"] == 5
    card.get_by_label("remove layer 6").click()
    assert len(state_in_python(jupyter_lab, page)["layers"]) == 5
    assert "5 layers: an output pixel sees 11 x 11" in card.locator(".ce-summary").inner_text()
    # Every step of this slider is a new effective field, averaged over 20 networks.
    assert_fast(page, card, card.get_by_label("output over column"))
    look(page, card, "receptive_field_builder")
    assert_clean(jupyter_lab, page)


def test_banded_matrix(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, BandedMatrix)
    # Keyboard: the number of free weights, and one time step more.
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    assert "Right." in card.inner_text()
    card.get_by_label("trace length").focus()
    page.keyboard.press("ArrowRight")
    # Mouse: untie, fill, and hover the last row of the matrix.
    card.get_by_role("button", name="Untie weights").click()
    assert state_in_python(jupyter_lab, page)["stage"] == "locally connected"
    card.get_by_role("button", name="Fill the band").click()
    matrix = card.get_by_role("img")
    size = matrix.bounding_box()
    matrix.hover(position={"x": size["width"] / 2, "y": size["height"] - 40})
    state = state_in_python(jupyter_lab, page)
    assert (state["length"], state["stage"], state["row"], state["prediction"]) == (6, "dense", 5, 3)
    assert BandedMatrix(**state).summary() == card.locator(".ce-summary").inner_text()
    assert "48 free" in card.inner_text()
    assert_fast(page, card, card.get_by_label("trace length"))
    card.get_by_role("radio", name="untied").check()
    look(page, card, "banded_matrix")
    assert_clean(jupyter_lab, page)


def test_transposed_convolution_steps(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, TransposedConvolutionSteps)
    # Keyboard: guess, change a pixel, make the filter larger.
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    assert "Right." in card.inner_text()
    card.get_by_label("image, row 1, column 2").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("-3")
    card.get_by_label("filter size k").focus()
    page.keyboard.press("ArrowRight")
    # Mouse: one patch back, then the comparison.
    card.get_by_role("button", name="Back").click()
    card.get_by_text("compare with upsampling").click()
    state = state_in_python(jupyter_lab, page)
    assert (state["image"], state["kernel_size"], state["step"]) == ([[2, -3], [1, 3]], 4, 3)
    assert state["compare"] is True
    assert "no checkerboard" in card.inner_text()
    assert TransposedConvolutionSteps(**state).summary() == card.locator(".ce-summary").inner_text()
    assert_fast(page, card, card.get_by_label("stride s"))
    # A larger image comes with as many inputs.
    card.get_by_label("image", exact=True).select_option("3 × 3 ones")
    assert card.get_by_role("spinbutton").count() == 9
    card.get_by_role("button", name="Reset").click()
    assert state_in_python(jupyter_lab, page)["image"] == [[2, 4], [1, 3]]
    card.get_by_text("compare with upsampling").click()
    look(page, card, "transposed_convolution_steps")
    assert_clean(jupyter_lab, page)
