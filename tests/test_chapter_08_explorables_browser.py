"""The explorables of figures 8.6 to 8.14 on one page of JupyterLab: mouse, keyboard, state in Python."""

import json

import pytest
from test_explorables_browser import expect_summary, look, output_of, run_cell

from course_lib.explorables import (
    ConvolutionCost,
    DetectorEvents,
    HexagonalGrid,
    NeighbourhoodRegression,
    ShortcutBudget,
    SkipConnections,
)

pytestmark = pytest.mark.browser

SHOWN = (ConvolutionCost, DetectorEvents, HexagonalGrid, NeighbourhoodRegression, ShortcutBudget, SkipConnections)
MAKE = "from course_lib.explorables import {name}\n{name}_shown = {name}()\n{name}_shown"
READ = (
    "import json\nprint(json.dumps({"
    + ", ".join(f'"{kind.__name__}": {kind.__name__}_shown.state' for kind in SHOWN)
    + "}))"
)


def test_mouse_and_keyboard_move_all_six(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1280, "height": 1500})
    jupyter_lab.write("chapter_08.ipynb", [MAKE.format(name=kind.__name__) for kind in SHOWN] + [READ])
    jupyter_lab.open(page, "chapter_08.ipynb")
    jupyter_lab.run_all(page)
    cards = {}
    for kind in SHOWN:
        cards[kind] = page.locator(f'.course-explorable[aria-label="{kind.title}"]')
        cards[kind].wait_for(timeout=120_000)

    def press(card, name, key, times=1):
        card.get_by_role("slider", name=name).focus()
        for _ in range(times):
            page.keyboard.press(key)

    card = cards[ConvolutionCost]  # mouse: guess, bottlenecks off; keyboard: channels
    card.get_by_role("button", name="5 × 5").click()
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_text("bottlenecks", exact=True).click()
    expect_summary(card, "36\u202f928 parameters")
    press(card, "channels in", "ArrowRight")

    card = cards[DetectorEvents]  # mouse: guess, muon, next event; keyboard: pixels
    card.get_by_role("button", name="about the width of a shower").click()
    card.get_by_role("radio", name="muon").click()
    card.get_by_role("button", name="Next event").click()
    press(card, "pixel", "ArrowRight")
    expect_summary(card, "Muon of 1 GeV", "pixels of 12 cm")

    card = cards[HexagonalGrid]  # mouse: skip, a cell, channels; keyboard: walk to the next cell, turn
    card.get_by_role("button", name="Skip").click()
    cells = card.get_by_role("img", name="cells")
    size = cells.bounding_box()
    cells.click(position={"x": size["width"] / 2, "y": size["height"] / 2})
    page.keyboard.press("ArrowRight")
    expect_summary(card, "cell (1, 0)")
    card.get_by_role("radio", name="turning channels").click()
    press(card, "turn the picture", "ArrowRight", 2)
    expect_summary(card, "turned by 120 degrees", "with a difference of 0")

    card = cards[NeighbourhoodRegression]  # mouse: guess; keyboard: the neighbourhood matters less
    card.get_by_role("button", name="almost nothing").click()
    expect_summary(card, "Right", of=".ce-answer")
    press(card, "neighbourhood matters", "Home")

    card = cards[ShortcutBudget]  # mouse: guess, addition; keyboard: all layers
    card.get_by_role("button", name="a factor 4").click()
    card.get_by_role("radio", name="add (residual)").click()
    press(card, "layers", "End")
    expect_summary(card, "With addition and 100 layers")

    card = cards[SkipConnections]  # mouse: guess, skips; keyboard: one pooling more
    card.get_by_role("button", name="at the borders and on thin tracks").click()
    card.get_by_text("skip connections", exact=True).click()
    press(card, "depth (poolings by two)", "ArrowRight")
    expect_summary(card, "With skip connections and depth 3")

    wanted = {
        ConvolutionCost: {"channels": 128, "bottleneck_on": False, "prediction": "5 × 5"},
        DetectorEvents: {"kind": "muon", "seed": 5, "pixel_cm": 12},
        HexagonalGrid: {"show": "channels", "turns": 2, "prediction": "skipped"},
        NeighbourhoodRegression: {"context": 0, "prediction": "almost nothing"},
        ShortcutBudget: {"kind": "add", "n_layers": 100},
        SkipConnections: {"skips": True, "depth": 3},
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
        cards[kind].evaluate("node => node.scrollIntoView({ block: 'center' })")
        look(page, cards[kind], kind.name)
    assert page.external_requests == []
    assert page.console_errors == []
