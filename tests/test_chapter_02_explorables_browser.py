"""The explorables of chapter 2 in one notebook: mouse and keyboard, and the state read back in Python."""

import json

import pytest

from course_lib.explorables import DataTypes, EarthquakeLocator, InterpolationTraining

pytestmark = pytest.mark.browser

CLASSES = (DataTypes, EarthquakeLocator, InterpolationTraining)
SHOW = "from course_lib.explorables import {name}\n{variable} = {name}()\n{variable}"
READ = "import json\nprint(json.dumps([types.state, locator.state, training.state]))"


def states_in_python(lab, page, *expected):
    """Run the reading cell until Python has what the browser sent."""
    for _ in range(60):
        lab.run_cell(page, 3)
        page.wait_for_timeout(500)
        text = page.locator(".jp-Cell").nth(3).locator(".jp-OutputArea-output").last.inner_text().strip()
        try:
            states = json.loads(text)
        except ValueError:  # the cell is still running
            continue
        if all(wanted.items() <= state.items() for wanted, state in zip(expected, states, strict=True)):
            return states
    raise AssertionError(f"Python never heard of {expected}: it has {states}")


def test_every_control_reaches_python(jupyter_lab, browser_page):
    from jupyter_lab_fixture import SCREENS
    from playwright.sync_api import expect

    lab, page = jupyter_lab, browser_page
    page.set_viewport_size({"width": 1280, "height": 3400})
    variables = ("types", "locator", "training")
    cells = [SHOW.format(name=c.__name__, variable=v) for c, v in zip(CLASSES, variables, strict=True)]
    lab.write("chapter_02.ipynb", [*cells, READ])
    lab.open(page, "chapter_02.ipynb")
    lab.run_all(page)
    cards = [page.get_by_role("region", name=kind.title) for kind in CLASSES]
    for card in cards:
        card.wait_for(timeout=90_000)
    types, locator, training = cards

    # Mouse: commit to a guess, choose a kind, permute. Keyboard: the amount.
    types.get_by_role("button", name="nothing").click()
    expect(types.locator(".ce-answer")).to_contain_text("Right", timeout=60_000)
    types.get_by_role("radio", name="film: grid and time").click()
    types.get_by_text("permute the entries").click()
    types.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")

    # Mouse: place the quake in the middle of the map. Keyboard: one kilometre north on the map, one speed.
    locator.get_by_role("button", name="how far").click()
    canvas = locator.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": 340, "y": 200})
    canvas.focus()
    page.keyboard.press("ArrowUp")
    locator.get_by_role("slider", name="assumed speed P").focus()
    page.keyboard.press("ArrowRight")

    # Mouse: another random start. Keyboard: the next stored epoch; the training must have ended by itself.
    training.get_by_role("button", name="about 300").click()
    training.get_by_role("button", name="New random start").click()
    training.get_by_role("slider", name="epoch").focus()
    page.keyboard.press("ArrowRight")
    expect(training.locator(".ce-summary")).to_contain_text("After 250 of 800 epochs", timeout=240_000)

    seen = states_in_python(
        lab,
        page,
        {"kind": "film", "permuted": True, "amount": 4, "prediction": "nothing"},
        {"v_p": 6.1, "prediction": "how far"},
        {"seed": 1, "snapshot": 5, "prediction": "about 300"},
    )
    assert (seen[1]["x"], seen[1]["y"]) != (16, 22)
    assert -45 < seen[1]["y"] < 45
    for card, kind, state in zip(cards, CLASSES, seen, strict=True):
        expect(card.locator(".ce-summary")).to_have_text(kind(**state).summary(), timeout=60_000)
        card.screenshot(path=SCREENS / f"explorable_{kind.name}_light.png")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'", timeout=60_000)
    page.wait_for_timeout(1000)
    for card, kind in zip(cards, CLASSES, strict=True):
        card.screenshot(path=SCREENS / f"explorable_{kind.name}_dark.png")
    assert page.external_requests == []
    assert page.console_errors == []
