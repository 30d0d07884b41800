"""The explorables of chapter 4 on one page of JupyterLab: mouse, keyboard, state in Python."""

import pytest
from explorables_on_one_page import assert_told_and_clean, open_all, states_in_python
from test_explorables_browser import expect_summary

from course_lib.explorables import BackpropagationGraph, DescentSteps, ObjectiveChooser, OptimiserPaths

pytestmark = pytest.mark.browser

SHOWN = (BackpropagationGraph, DescentSteps, OptimiserPaths, ObjectiveChooser)


def test_mouse_and_keyboard_move_all_four(jupyter_lab, browser_page):
    page = browser_page
    cards = open_all(jupyter_lab, page, "chapter_04.ipynb", SHOWN)

    card = cards[BackpropagationGraph]  # keyboard: guess, then another weight; mouse: two steps, another graph
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("-0.8")
    page.keyboard.press("Enter")
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_role("slider", name="W", exact=True).focus()
    page.keyboard.press("ArrowRight")
    card.get_by_role("button", name="Step ▶").click()
    expect_summary(card, "L = 0.09; backward pass: 1 of 4")
    card.get_by_label("computation").select_option("one input, two paths")
    for _ in range(3):
        card.get_by_role("button", name="Step ▶").click()
    expect_summary(card, "∂e/∂b = 5")

    card = cards[DescentSteps]  # keyboard: learning rate; mouse: guess, keep, start in the picture
    card.get_by_role("button", name="1", exact=True).click()
    card.get_by_role("slider", name="learning rate").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    card.get_by_role("button", name="Keep this curve").click()
    card.get_by_role("button", name="Step ▶").click()
    expect_summary(card, "After 1 step with α = 0.5", "W = 1.2")
    valley = card.get_by_role("img", name="loss against W")
    valley.click(position={"x": valley.bounding_box()["width"] - 40, "y": 100})
    expect_summary(card, "After 0 steps")

    card = cards[OptimiserPaths]  # keyboard: strategy of the list and the start; mouse: compare
    card.get_by_role("button", name="0.08", exact=True).click()
    card.get_by_label("strategy").focus()
    page.keyboard.press("ArrowDown")
    card.get_by_role("img", name="contours of the loss").focus()
    page.keyboard.press("ArrowUp")
    card.get_by_text("draw all five").click()
    expect_summary(card, "momentum with α = 0.07")

    card = cards[ObjectiveChooser]  # keyboard: guess, and a slider; mouse: another task
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("26")
    page.keyboard.press("Enter")
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_role("slider", name="hidden nodes h").focus()
    page.keyboard.press("ArrowRight")
    card.get_by_label("the network shall tell").select_option("yes or no (signal?)")
    expect_summary(card, "1 output make 26 parameters")

    wanted = {
        BackpropagationGraph: {"graph": "two_paths", "inputs": [2, 1], "step": 6, "prediction": -0.8},
        DescentSteps: {"learning_rate": 0.5, "kept": [0.5], "step": 0, "prediction": "1"},
        OptimiserPaths: {"optimiser": "momentum", "start": [-4.2, 1.3], "compare": True, "prediction": "0.08"},
        ObjectiveChooser: {"task": "yes_no", "n_hidden": 5, "n_outputs": 1, "prediction": 26},
    }
    states = states_in_python(jupyter_lab, page, wanted)
    assert states[DescentSteps]["weight"] > 2  # where the mouse was
    assert_told_and_clean(page, cards, states)
