"""The explorables of chapter 6 on one page of JupyterLab: mouse, keyboard, state in Python."""

import json

import pytest
from test_explorables_browser import expect_summary, look, output_of, run_cell

from course_lib.explorables import DifferentiableNodes, GlossaryCards, ProjectConveyor, TrainingCounter

pytestmark = pytest.mark.browser

SHOWN = (GlossaryCards, ProjectConveyor, TrainingCounter, DifferentiableNodes)
MAKE = "from course_lib.explorables import {name}\n{name}_shown = {name}()\n{name}_shown"
READ = (
    "import json\nprint(json.dumps({"
    + ", ".join(f'"{kind.__name__}": {kind.__name__}_shown.state' for kind in SHOWN)
    + "}))"
)


def test_mouse_and_keyboard_move_all_four(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1280, "height": 1500})
    jupyter_lab.write("chapter_06.ipynb", [MAKE.format(name=kind.__name__) for kind in SHOWN] + [READ])
    jupyter_lab.open(page, "chapter_06.ipynb")
    jupyter_lab.run_all(page)
    cards = {}
    for kind in SHOWN:
        cards[kind] = page.locator(f'.course-explorable[aria-label="{kind.title}"]')
        cards[kind].wait_for(timeout=120_000)

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
    states = {}
    for _ in range(60):  # the last change is on its way to the kernel
        page.wait_for_timeout(400)
        run_cell(jupyter_lab, page, len(SHOWN))
        page.wait_for_timeout(200)
        try:
            states = json.loads(output_of(page, len(SHOWN)))
        except ValueError:  # the cell is still running
            continue
        if all(fields.items() <= states[kind.__name__].items() for kind, fields in wanted.items()):
            break
    for kind, fields in wanted.items():
        assert fields.items() <= states[kind.__name__].items()
        expect_summary(cards[kind], kind(**states[kind.__name__]).summary())
    for kind in SHOWN:
        look(page, cards[kind], kind.name)
    assert page.external_requests == []
    assert page.console_errors == []
