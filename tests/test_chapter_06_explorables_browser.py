"""The explorables of chapter 6 on one page of JupyterLab: mouse, keyboard, state in Python."""

import pytest
from explorables_on_one_page import assert_told_and_clean, open_all, states_in_python
from test_explorables_browser import expect_summary

from course_lib.explorables import DifferentiableNodes, GlossaryCards, ProjectConveyor, TrainingCounter

pytestmark = pytest.mark.browser

SHOWN = (GlossaryCards, ProjectConveyor, TrainingCounter, DifferentiableNodes)


def test_mouse_and_keyboard_move_all_four(jupyter_lab, browser_page):
    page = browser_page
    cards = open_all(jupyter_lab, page, "chapter_06.ipynb", SHOWN)

    card = cards[GlossaryCards]  # mouse: turn, judge; keyboard: judge the next one
    card.get_by_role("button", name="Turn the card").click()
    expect_summary(card, "neural network, a function with")
    card.get_by_role("button", name="I knew it").click()
    card.get_by_role("button", name="Turn the card").focus()
    page.keyboard.press("Enter")
    card.get_by_role("button", name="Not yet").focus()
    page.keyboard.press("Enter")
    expect_summary(card, "1 of 67 known, 66 still to come")

    card = cards[ProjectConveyor]  # keyboard: one lane on; mouse: click a card and a lane, then drag one
    card.get_by_role("button", name="collect").focus()
    page.keyboard.press("ArrowRight")
    expect_summary(card, "1 of ten steps are placed")
    card.get_by_role("button", name="test state the performance").click()
    card.get_by_role("group", name="after every epoch").click()
    card.get_by_role("button", name="normalise").drag_to(card.get_by_role("group", name="once, before"))
    expect_summary(card, "3 of ten steps are placed")
    card.get_by_role("button", name="Check").click()
    expect_summary(card, "1 go wrong, 1 of them leak; test:")

    card = cards[TrainingCounter]  # mouse: guess, preset; keyboard: one more layer
    card.get_by_role("button", name="a factor 3.3").click()
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_label("preset").select_option("Ising 1024-32-32-1")
    expect_summary(card, "33\u202f889 parameters")
    card.get_by_role("slider", name="hidden layers").focus()
    page.keyboard.press("ArrowRight")
    expect_summary(card, "34\u202f945 parameters")

    card = cards[DifferentiableNodes]  # mouse: guess, another activation; keyboard: steps
    card.get_by_role("button", name="only the output weights").click()
    card.get_by_role("radio", name="step").click()
    card.get_by_role("slider", name="steps").focus()
    page.keyboard.press("End")
    expect_summary(card, "0 of 8 hidden parameters feel a gradient after 400 steps")

    wanted = {
        GlossaryCards: {"answers": [1, 0], "turned": False},
        ProjectConveyor: {"lanes": [[8, 7, 1, 5, 4, 3, 6], [0, 2], [], [9], []], "checked": True},
        TrainingCounter: {"layers": 3, "inputs": 1024, "nodes": 32, "prediction": "a factor 3.3"},
        DifferentiableNodes: {"activation": "step", "steps": 400, "prediction": "only the output weights"},
    }
    states = states_in_python(jupyter_lab, page, wanted)
    assert_told_and_clean(page, cards, states)
