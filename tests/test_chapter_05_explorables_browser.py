"""The explorables of chapter 5 on one page of JupyterLab: mouse, keyboard, and the state read back in Python."""

import json

import pytest

from course_lib import explorables

pytestmark = pytest.mark.browser

NAMES = (
    "BiasVariance",
    "WorkingPoint",
    "OverfittingMonitor",
    "Regularisation",
    "HyperparameterSearch",
    "ActivationGallery",
)
SHOW = "from course_lib.explorables import {name}\n{variable} = {name}()\n{variable}"
READ = f"import json\nprint(json.dumps([{', '.join(name.lower() + '.state' for name in NAMES)}]))"


def states_in_python(lab, page, expected):
    """Run the reading cell until Python has what the browser sent."""
    states = None
    for _ in range(60):
        lab.run_cell(page, len(NAMES))
        page.wait_for_timeout(500)
        text = page.locator(".jp-Cell").nth(len(NAMES)).locator(".jp-OutputArea-output").last.inner_text().strip()
        try:
            states = json.loads(text)
        except ValueError:  # the cell is still running
            continue
        if all(wanted.items() <= state.items() for wanted, state in zip(expected, states, strict=True)):
            return states
    raise AssertionError(f"Python never heard of {expected}: it has {states}")


def test_mouse_and_keyboard_reach_python(jupyter_lab, browser_page):
    from jupyter_lab_fixture import SCREENS
    from playwright.sync_api import expect

    lab, page = jupyter_lab, browser_page
    page.set_viewport_size({"width": 1280, "height": 5200})  # all of them in sight: JupyterLab drops what is not
    lab.write("chapter_05.ipynb", [*(SHOW.format(name=name, variable=name.lower()) for name in NAMES), READ])
    lab.open(page, "chapter_05.ipynb")
    lab.run_all(page)
    classes = [getattr(explorables, name) for name in NAMES]
    cards = [page.get_by_role("region", name=kind.title) for kind in classes]
    for card in cards:
        card.wait_for(timeout=90_000)

    def press(card, slider, key="ArrowRight"):
        card.get_by_role("slider", name=slider, exact=True).focus()
        page.keyboard.press(key)

    bias, point, monitor, holding, search, gallery = cards
    # Each: commit to a guess and move one control by mouse, one by keyboard.
    bias.get_by_role("button", name="3", exact=True).click()
    expect(bias.locator(".ce-answer")).to_contain_text("Right", timeout=60_000)
    bias.get_by_role("button", name="New data").click()
    press(bias, "degree")

    point.get_by_role("button", name="the purity").click()
    point.get_by_role("radio", name="5 %", exact=True).click()
    press(point, "threshold v")

    monitor.get_by_role("button", name="hardly change").click()
    monitor.get_by_text("restore the best weights").click()
    press(monitor, "patience", "ArrowLeft")

    holding.get_by_role("button", name="only with L1").click()
    holding.get_by_role("radio", name="L1: Σ|w|").click()
    press(holding, "strength λ")

    search.get_by_role("button", name="grid 3, random 9").click()
    search.get_by_role("combobox", name="what matters").select_option("both alike")
    press(search, "best θ₁")

    gallery.get_by_role("button", name="tanh").click()
    gallery.get_by_text("show the slope").click()
    press(gallery, "width of the inputs")

    states = states_in_python(
        lab,
        page,
        [
            {"seed": 1, "degree": 2, "prediction": "3"},
            {"prevalence": 0.05, "threshold": 0.51, "prediction": "the purity"},
            {"restore": True, "patience": 29},
            {"penalty": "l1", "strength": 0.12},
            {"surface": "both", "best_first": 0.33},
            {"slope": True, "width": 1.25},
        ],
    )
    for card, kind, state in zip(cards, classes, states, strict=True):
        expect(card.locator(".ce-summary")).to_have_text(kind(**state).summary(), timeout=60_000)
        card.screenshot(path=SCREENS / f"explorable_{kind.name}_light.png")
    # The other views of two of them.
    bias.get_by_role("radio", name="a throw").click()
    holding.get_by_role("radio", name="dropout").click()
    expect(bias.locator(".ce-summary")).to_contain_text("shots", timeout=60_000)
    expect(holding.locator(".ce-summary")).to_contain_text("dropout rate", timeout=60_000)
    bias.screenshot(path=SCREENS / "explorable_bias_variance_darts.png")
    holding.screenshot(path=SCREENS / "explorable_regularisation_dropout.png")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'", timeout=60_000)
    page.wait_for_timeout(1000)
    for card, kind in zip(cards, classes, strict=True):
        card.screenshot(path=SCREENS / f"explorable_{kind.name}_dark.png")
    assert page.external_requests == []
    assert page.console_errors == []
