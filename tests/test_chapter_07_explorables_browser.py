"""The explorables of chapter 7 on one page of JupyterLab: mouse, keyboard, state in Python."""

import pytest
from explorables_on_one_page import assert_told_and_clean, open_all, states_in_python
from test_explorables_browser import expect_summary

from course_lib.explorables import DeepNetwork, EpicentreResolution, MomentMap, SpiralHandedness

pytestmark = pytest.mark.browser

SHOWN = (DeepNetwork, EpicentreResolution, SpiralHandedness, MomentMap)


def test_mouse_and_keyboard_move_all_four(jupyter_lab, browser_page):
    page = browser_page
    cards = open_all(jupyter_lab, page, "chapter_07.ipynb", SHOWN)

    card = cards[DeepNetwork]  # mouse: guess, preset, a node; keyboard: two layers fewer
    card.get_by_role("button", name="less than a billionth").click()
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_label("preset").select_option("small weights, shortcuts")
    card.get_by_role("slider", name="hidden layers").focus()
    page.keyboard.press("ArrowLeft")
    expect_summary(card, "18 layers of 12 nodes have 2808 parameters")
    nodes = card.get_by_role("img", name="point at a node")
    nodes.hover(position={"x": nodes.bounding_box()["width"] - 24, "y": 20})
    card.get_by_role("img", name="node 1 of layer 18").wait_for(timeout=60_000)
    nodes.focus()
    page.keyboard.press("ArrowLeft")
    card.get_by_role("img", name="node 1 of layer 17").wait_for(timeout=60_000)

    card = cards[EpicentreResolution]  # keyboard: the guess, and the quake one step to the east; mouse: a station
    card.get_by_role("button", name="grows").focus()
    page.keyboard.press("Enter")
    expect_summary(card, "Right", of=".ce-answer")
    chart = card.get_by_role("img", name="map: drag the quake")
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect_summary(card, "(−3, 20) km")
    size = chart.bounding_box()
    # The plot lies 52 px from the left, 10 from the right, 8 from the top, 44 from the bottom.
    at = lambda x, y: {  # noqa: E731
        "x": 52 + (size["width"] - 62) * (x + 45) / 90,
        "y": 8 + (size["height"] - 52) * (45 - y) / 90,
    }
    start, end = at(10, -10), at(30, -30)
    page.mouse.move(size["x"] + start["x"], size["y"] + start["y"])
    page.mouse.down()
    page.mouse.move(size["x"] + end["x"], size["y"] + end["y"], steps=4)
    page.mouse.up()

    card = cards[SpiralHandedness]  # mouse: guess and mirror; keyboard: turn it
    card.get_by_role("button", name="exactly as good").click()
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_text("mirror", exact=True).click()
    card.get_by_role("slider", name="rotate").focus()
    page.keyboard.press("ArrowRight")
    expect_summary(card, "The arms turn clockwise", "says clockwise, which is right")

    card = cards[MomentMap]  # mouse: guess and preset; keyboard: one step up in the plane
    card.get_by_role("button", name="close to 1").click()
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_label("preset").select_option("ReLU, weights of He")
    card.get_by_role("img", name="drag the start").focus()
    page.keyboard.press("ArrowUp")
    expect_summary(card, "From mean 0 and variance 4.8")

    wanted = {
        DeepNetwork: {"n_layers": 18, "shortcut": True, "weight_scale": 0.7, "prediction": "less than a billionth"},
        EpicentreResolution: {"source_km": [-3, 20], "prediction": "grows"},
        SpiralHandedness: {"mirrored": True, "angle_deg": 45, "prediction": "exactly as good"},
        MomentMap: {"activation": "relu", "weight_variance": 2.0, "variance": 4.8, "prediction": "close to 1"},
    }
    states = states_in_python(jupyter_lab, page, wanted)
    dragged = states[EpicentreResolution]["stations_km"]
    assert dragged[:3] == [[-10, 10], [10, 10], [-10, -10]]
    assert abs(dragged[3][0] - 30) < 2 and abs(dragged[3][1] + 30) < 2
    assert_told_and_clean(page, cards, states)
