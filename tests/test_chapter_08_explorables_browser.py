"""The explorables of figures 8.6 to 8.14 on one page of JupyterLab: mouse, keyboard, state in Python."""

import pytest
from explorables_on_one_page import assert_told_and_clean, open_all, states_in_python
from test_explorables_browser import expect_summary

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


def test_mouse_and_keyboard_move_all_six(jupyter_lab, browser_page):
    page = browser_page
    cards = open_all(jupyter_lab, page, "chapter_08.ipynb", SHOWN)

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
    states = states_in_python(jupyter_lab, page, wanted)
    assert_told_and_clean(page, cards, states)
