"""The explorables of chapter 1 on one page of JupyterLab: mouse, keyboard, state in Python."""

import pytest
from explorables_on_one_page import assert_told_and_clean, open_all, states_in_python
from test_explorables_browser import expect_summary

from course_lib.explorables import AnalysisLadder, DecisionTree, KerasProgram, NetworkPaths

pytestmark = pytest.mark.browser

SHOWN = (AnalysisLadder, DecisionTree, NetworkPaths, KerasProgram)


def test_mouse_and_keyboard_move_all_four(jupyter_lab, browser_page):
    page = browser_page
    cards = open_all(jupyter_lab, page, "chapter_01.ipynb", SHOWN)

    card = cards[AnalysisLadder]  # mouse: guess, two boxes; keyboard: a card to its set
    card.get_by_role("button", name="3", exact=True).click()
    expect_summary(card, "Right. It is 3", of=".ce-answer")
    card.get_by_role("button", name="program: ?").click()
    deep = card.get_by_role("group", name="deep learning")
    deep.get_by_role("button", name="simple variables: ?").click()
    deep.get_by_role("button", name="simple variables: by hand").click()
    expect_summary(card, "Four pipelines: 2 of 8 placed.")
    card.get_by_role("radio", name="nested sets").check()
    card.get_by_role("button", name="linear fit").focus()
    page.keyboard.press("Enter")
    card.get_by_role("button", name="machine learning", exact=True).focus()
    page.keyboard.press("Enter")
    expect_summary(card, "Nested sets: 1 of 10 placed.")
    card.get_by_role("button", name="Place one for me").click()
    expect_summary(card, "because a person typed in every rule", of=".ce-notes")
    large = card.get_by_role("button", name="large language model")
    large.drag_to(card.get_by_role("button", name="deep learning", exact=True))
    card.get_by_role("button", name="Check").click()
    expect_summary(card, "Nested sets: 3 of 10 placed, 3 of them rightly.")

    card = cards[DecisionTree]  # keyboard: guess, a threshold; mouse: let the data choose, drop an event
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("80")
    page.keyboard.press("Enter")
    expect_summary(card, "Right. 44 of 55", of=".ce-answer")
    card.get_by_role("slider", name="cut 3").focus()
    page.keyboard.press("ArrowRight")
    card.get_by_role("button", name="Best cut").click()
    card.get_by_role("button", name="Drop an event").click()
    card.get_by_label("observable of cut 2").select_option("time x₃ (ns)")
    expect_summary(card, "event 36 is signal")

    card = cards[NetworkPaths]  # mouse: guess, activation; keyboard: an input, a link, its weight
    card.get_by_role("button", name="a plane", exact=True).click()
    card.get_by_role("slider", name="input x₁").focus()
    page.keyboard.press("ArrowLeft")
    card.get_by_label("link (yellow)").focus()
    page.keyboard.press("ArrowDown")
    card.get_by_role("slider", name="weight of the chosen link").focus()
    page.keyboard.press("ArrowRight")
    card.get_by_text("activation (ReLU)").click()
    expect_summary(card, "6 of 6 hidden nodes are active")

    card = cards[KerasProgram]  # keyboard: guess, nodes; mouse: a line, an optimizer, one epoch
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("17")
    page.keyboard.press("Enter")
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_role("slider", name="hidden nodes").focus()
    page.keyboard.press("ArrowRight")
    card.get_by_label("optimizer").select_option("adam")
    card.get_by_label("learning rate").select_option("0.1")
    card.get_by_role("button", name='model.compile(optimizers.Adam(0.1), "mse", metrics=["accuracy"])').click()
    expect_summary(card, "how the parameters are moved", of=".ce-stage")
    card.get_by_role("button", name="Step ▶").click()
    expect_summary(card, "After 1 epoch:", "with 21 parameters")

    wanted = {
        AnalysisLadder: {"task": "methods", "prediction": "3"},
        DecisionTree: {"cut_3": 185.5, "node": 2, "event": 36, "observable_2": 2, "cut_2": 150, "prediction": 80},
        NetworkPaths: {"x_1": 0.9, "link": 10, "activation": False, "prediction": "a plane"},
        KerasProgram: {
            "nodes": 5,
            "optimizer": "adam",
            "learning_rate": 0.1,
            "line": 4,
            "epoch": 1,
            "prediction": 17,
        },
    }
    states = states_in_python(jupyter_lab, page, wanted)
    ladder, tree = states[AnalysisLadder], states[DecisionTree]
    assert (ladder["boxes"][0], ladder["boxes"][5]) == (0, 1)
    assert (ladder["methods"][2], ladder["methods"][0], ladder["methods"][9]) == (1, 0, 3)
    assert tree["cut_1"] == 32.5  # what the data chose
    assert states[NetworkPaths]["weights"][10] == -0.5
    assert_told_and_clean(page, cards, states)
