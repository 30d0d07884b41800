"""The explorables of chapter 1 on one page of JupyterLab: mouse, keyboard, state in Python."""

import json

import pytest
from test_explorables_browser import expect_summary, look, output_of, run_cell

from course_lib.explorables import AnalysisLadder, DecisionTree, KerasProgram, NetworkPaths

pytestmark = pytest.mark.browser

SHOWN = (AnalysisLadder, DecisionTree, NetworkPaths, KerasProgram)
MAKE = "from course_lib.explorables import {name}\n{name}_shown = {name}()\n{name}_shown"
READ = (
    "import json\nprint(json.dumps({"
    + ", ".join(f'"{kind.__name__}": {kind.__name__}_shown.state' for kind in SHOWN)
    + "}))"
)


def test_mouse_and_keyboard_move_all_four(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1280, "height": 1500})
    jupyter_lab.write("chapter_01.ipynb", [MAKE.format(name=kind.__name__) for kind in SHOWN] + [READ])
    jupyter_lab.open(page, "chapter_01.ipynb")
    jupyter_lab.run_all(page)
    cards = {}
    for kind in SHOWN:
        cards[kind] = page.locator(f'.course-explorable[aria-label="{kind.title}"]')
        cards[kind].wait_for(timeout=120_000)

    card = cards[AnalysisLadder]  # mouse: guess, two boxes; keyboard: a card to its set
    card.get_by_role("button", name="3", exact=True).click()
    expect_summary(card, "Right: 3", of=".ce-answer")
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
        "AnalysisLadder": {"task": "methods", "prediction": "3"},
        "DecisionTree": {"cut_3": 185.5, "node": 2, "event": 36, "observable_2": 2, "cut_2": 150, "prediction": 80},
        "NetworkPaths": {"x_1": 0.9, "link": 10, "activation": False, "prediction": "a plane"},
        "KerasProgram": {
            "nodes": 5,
            "optimizer": "adam",
            "learning_rate": 0.1,
            "line": 4,
            "epoch": 1,
            "prediction": 17,
        },
    }
    states = {}
    for _ in range(60):
        page.wait_for_timeout(500)
        run_cell(jupyter_lab, page, len(SHOWN))
        page.wait_for_timeout(500)
        try:
            states = json.loads(output_of(page, len(SHOWN)))
        except ValueError:  # the cell is still running
            continue
        if all(fields.items() <= states[name].items() for name, fields in wanted.items()):
            break
    for name, fields in wanted.items():
        assert fields.items() <= states[name].items(), name
    ladder, tree = states["AnalysisLadder"], states["DecisionTree"]
    assert (ladder["boxes"][0], ladder["boxes"][5]) == (0, 1)
    assert (ladder["methods"][2], ladder["methods"][0], ladder["methods"][9]) == (1, 0, 3)
    assert tree["cut_1"] == 32.5  # what the data chose
    assert states["NetworkPaths"]["weights"][10] == -0.5
    for kind, card in cards.items():
        expect_summary(card, kind(**states[kind.__name__]).summary())
        card.evaluate("node => node.scrollIntoView({ block: 'center' })")
        look(page, card, kind.name)
    assert page.external_requests == []
    assert page.console_errors == []
