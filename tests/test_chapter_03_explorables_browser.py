"""The explorables of chapter 3 on one page of JupyterLab: mouse, keyboard, state in Python."""

import json

import pytest
from test_explorables_browser import expect_summary, output_of, run_cell

from course_lib.explorables import ForwardPass, FunctionApproximator, OneNode

pytestmark = pytest.mark.browser

NAMES = ["ForwardPass", "OneNode", "FunctionApproximator"]
SHOW = "from course_lib.explorables import {name}\n{low} = {name}()\n{low}"
READ = "import json\nprint(json.dumps([forwardpass.state, onenode.state, functionapproximator.state]))"


def states_in_python(page, accept):
    """Run the reading cell until `accept(states)`: on a busy machine messages of the browser take their time."""
    states = None
    for _ in range(60):
        page.wait_for_timeout(500)
        run_cell(None, page, len(NAMES))
        page.wait_for_timeout(300)
        try:
            states = json.loads(output_of(page, len(NAMES)))
        except ValueError:  # the cell is still running
            continue
        if accept(*states):
            return states
    pytest.fail(f"the states in Python stayed at {states}")


def test_all_of_chapter_3_answer_to_mouse_and_keyboard(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1280, "height": 1300})
    jupyter_lab.write("chapter_03.ipynb", [SHOW.format(name=name, low=name.lower()) for name in NAMES] + [READ])
    jupyter_lab.open(page, "chapter_03.ipynb")
    jupyter_lab.run_all(page)
    cards = []
    for index in range(len(NAMES)):
        card = page.locator(".jp-Cell").nth(index).locator(".course-explorable")
        card.wait_for(timeout=90_000)
        cards.append(card)
    network, node, functions = cards

    # Keyboard: predict, walk two stations of the pass, change a weight. Mouse: a preset, another point of the map.
    expect_summary(network, "hidden")
    network.get_by_role("button", name="only tilted planes").focus()
    page.keyboard.press("Enter")
    expect_summary(network, "Right", of=".ce-answer")
    network.get_by_role("combobox", name="preset", exact=True).select_option("XOR by hand: two nodes")
    expect_summary(network, "4 of 4 corners agree with XOR")
    network.get_by_role("img", name="output z over the plane").click(position={"x": 300, "y": 40})
    network.get_by_role("slider", name="W₁₁").focus()
    page.keyboard.press("ArrowRight")
    network.get_by_role("button", name="Back").click()
    network.get_by_role("button", name="Back").click()

    # A number by keyboard, the other tab by mouse, then a weight by keyboard.
    node.get_by_role("spinbutton").first.focus()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect_summary(node, "Right. Where w x + b = 0", of=".ce-answer")
    node.get_by_role("radio", name="two inputs: classes").click()
    node.get_by_role("combobox", name="points", exact=True).select_option("XOR")
    node.get_by_role("radio", name="x₂ alone").click()
    expect_summary(node, "The border 0 x₁")
    node.get_by_role("slider", name="weight w₂").focus()
    page.keyboard.press("ArrowRight")

    # More nodes by keyboard; own points by mouse; train until Pause.
    functions.get_by_role("button", name="4", exact=True).click()
    functions.get_by_role("slider", name="hidden nodes").focus()
    page.keyboard.press("ArrowRight")
    expect_summary(functions, "5 ReLU nodes stay within")
    functions.get_by_role("combobox", name="target", exact=True).select_option("your own points")
    functions.get_by_role("img", name="target and network").click(position={"x": 275, "y": 40})
    functions.get_by_role("button", name="Play").click()
    expect_summary(functions, "gradient steps from random weights")
    functions.get_by_role("button", name="Pause").click()

    def accept(first, second, third):
        return first["step"] == 3 and second["w2"] == 0.1 and third["nodes"] == 5 and third["rounds"] > 0

    first, second, third = states_in_python(page, accept)
    assert first["w11"] == 1.1 and first["x1"] > 1 and first["x2"] > 1
    assert (second["w1"], second["points"], second["inputs"], second["prediction"]) == (0, "xor", "x2", 2)
    assert third["target"] == "points" and third["heights"][0][4] > 1
    for card, explorable, state in zip(
        cards, (ForwardPass, OneNode, FunctionApproximator), (first, second, third), strict=True
    ):
        expect_summary(card, explorable(**state).summary())

    from jupyter_lab_fixture import SCREENS

    for theme in ("light", "dark"):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme.capitalize()}",
        )
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg="true" if theme == "light" else "false"
        )
        page.wait_for_timeout(700)
        for name, card in zip(NAMES, cards, strict=True):
            card.evaluate("node => node.scrollIntoView({ block: 'center' })")
            page.wait_for_timeout(300)
            card.screenshot(path=SCREENS / f"explorable_{name}_{theme}.png")
    assert page.external_requests == []
    assert page.console_errors == []
