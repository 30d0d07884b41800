"""Explorables in JupyterLab: one control by mouse, one by keyboard, the state read back in Python."""

import json

import pytest

from course_lib.explorables import ConvolutionOperations, FilterWalker, PixelArithmetic

pytestmark = pytest.mark.browser

SHOW = "from course_lib.explorables import {name}\nexplorable = {name}()\nexplorable"
READ = "import json\nprint(json.dumps(explorable.state))"


def output_of(page, index):
    """The text that cell `index` printed."""
    cell = page.locator(".jp-Cell").nth(index)
    return cell.locator(".jp-OutputArea-output").last.inner_text().strip()


def expect_summary(card, *parts, of=".ce-summary"):
    """Wait until the summary, which follows at most five times a second, says `parts`."""
    from playwright.sync_api import expect

    for part in parts:
        expect(card.locator(of)).to_contain_text(part, timeout=120_000)


def run_cell(lab, page, index):
    page.evaluate(
        """async (index) => {
            window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        index,
    )


def state_in_python(lab, page, index=1, **expected):
    """Run the reading cell until Python has what the browser sent: `expected` names fields and their values."""
    for _ in range(30):
        page.wait_for_timeout(400)
        run_cell(lab, page, index)
        page.wait_for_timeout(200)
        try:
            state = json.loads(output_of(page, index))
        except ValueError:  # the cell is still running
            continue
        if expected.items() <= state.items():
            break
    assert expected.items() <= state.items()
    return state


def show(lab, page, explorable, *, theme="light"):
    name = explorable.__name__
    page.set_viewport_size({"width": 1280, "height": 1100})
    lab.write(f"{name}.ipynb", [SHOW.format(name=name), READ])
    lab.open(page, f"{name}.ipynb", theme=theme)
    lab.run_all(page)
    card = page.locator(".course-explorable")
    card.wait_for(timeout=60_000)
    assert card.count() == 1
    return card


def brightness(canvas, x, y):
    """Mean of red, green and blue (0 to 255) of a canvas at the point (x, y), in CSS pixels."""
    return canvas.evaluate(
        """(canvas, [x, y]) => {
            const scale = canvas.width / canvas.clientWidth;
            const [red, green, blue] = canvas.getContext('2d').getImageData(x * scale, y * scale, 1, 1).data;
            return (red + green + blue) / 3;
        }""",
        [x, y],
    )


def look(page, card, name):
    """Screenshots in both themes: the theme is changed while the view lives."""
    from jupyter_lab_fixture import SCREENS

    for theme in ("light", "dark"):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme.capitalize()}",
        )
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg="true" if theme == "light" else "false"
        )
        page.wait_for_timeout(700)
        card.screenshot(path=SCREENS / f"explorable_{name}_{theme}.png")


def assert_clean(lab, page):
    """No console error, no request off the machine, and the static twin hidden behind the live view."""
    assert page.external_requests == []
    assert page.console_errors == []
    children = page.locator(".jp-Cell").first.locator(".jp-OutputArea-child")
    assert children.count() == 2
    assert children.nth(0).is_visible()
    assert not children.nth(1).is_visible()


def test_filter_walker(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, FilterWalker)
    # Mouse: commit to a guess, then take one step.
    expect_summary(card, "hidden")
    card.get_by_role("button", name="5 × 5").click()
    expect_summary(card, "Right", of=".ce-answer")
    card.get_by_role("button", name="Step ▶").click()
    # Keyboard: three pixels on with the arrow keys, two filters.
    card.get_by_role("slider", name="position").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    card.get_by_role("slider", name="number of filters").focus()
    page.keyboard.press("ArrowRight")
    card.get_by_role("combobox", name="image").select_option("Ising spins, almost critical")
    state_in_python(jupyter_lab, page, position=4, n_filters=2, image="ising", prediction="5 × 5")
    expect_summary(card, "20 parameters")
    # Play moves by itself and stops at a second press.
    card.get_by_role("button", name="Play").click()
    page.wait_for_function("() => Number(document.querySelector('.ce-slider input').value) > 20")
    card.get_by_role("button", name="Pause").click()
    reached = int(card.get_by_role("slider", name="position").input_value())
    state_in_python(jupyter_lab, page, position=reached)
    look(page, card, "filter_walker")
    assert_clean(jupyter_lab, page)


def test_pixel_arithmetic(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, PixelArithmetic)
    # Keyboard alone: guess, commit, and change a pixel and the bias.
    card.get_by_role("spinbutton").first.focus()
    page.keyboard.type("25")
    page.keyboard.press("Enter")
    expect_summary(card, "Exactly right", of=".ce-answer")
    card.get_by_label("patch x (type in it), row 1, column 1").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("-9.5")
    card.get_by_role("slider", name="bias b").focus()
    page.keyboard.press("ArrowRight")
    # Mouse: the true convolution.
    card.get_by_text("true convolution").click()
    state = state_in_python(jupyter_lab, page, bias=-0.5, flip=True, prediction=25)
    assert state["patch"][0][0] == -9.5
    expect_summary(card, PixelArithmetic(**state).summary())
    # What Python sets is seen in the browser.
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource("
        '\'explorable.state = {"bias": 7, "activation": "tanh"}\')'
    )
    run_cell(jupyter_lab, page, 1)
    expect_summary(card, "with the bias 7", "tanh makes it")
    look(page, card, "pixel_arithmetic")
    assert_clean(jupyter_lab, page)


def test_convolution_operations(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, ConvolutionOperations)
    card.get_by_role("button", name="Skip").click()
    card.get_by_role("slider", name="image size n").focus()
    page.keyboard.press("ArrowRight")
    card.get_by_role("radio", name="holes (book)").click()
    state_in_python(jupyter_lab, page, size=8, convention="book", prediction="skipped")
    expect_summary(card, "edge of 1 px unread")
    # An empty cell takes the colour of the theme: light from the first frame on, dark after the change.
    output = card.get_by_role("img", name="output")
    assert brightness(output, 40, 5) > 200
    look(page, card, "convolution_operations")
    assert brightness(output, 40, 5) < 90
    card.get_by_role("radio", name="pooling and shifts").click()
    card.get_by_role("button", name="Shift by one pixel").click()
    state_in_python(jupyter_lab, page, mode="pooling", shift=1)
    look(page, card, "pooling")
    assert_clean(jupyter_lab, page)


def test_running_a_cell_again_leaves_no_widget_behind(jupyter_lab, browser_page):
    page = browser_page
    count = (
        "import gc, ipywidgets\ngc.collect()\n"
        "print(len([w for w in ipywidgets.widgets.widget._instances.values() if type(w).__name__ == 'View']))"
    )
    jupyter_lab.write("again.ipynb", [SHOW.format(name="PixelArithmetic"), count])
    jupyter_lab.open(page, "again.ipynb")
    for _ in range(4):
        jupyter_lab.run_all(page)
        page.locator(".course-explorable").wait_for()
    page.wait_for_timeout(500)
    assert output_of(page, 1) == "1"
    assert page.locator(".course-explorable").count() == 1


def test_a_saved_notebook_opened_without_its_kernel_shows_the_figure(jupyter_lab, browser_page):
    page = browser_page
    show(jupyter_lab, page, PixelArithmetic)
    notebook = jupyter_lab.save(page)
    page.wait_for_timeout(1000)
    bundles = [set(output.get("data", {})) for output in notebook.cells[0].outputs]
    assert any("application/vnd.jupyter.widget-view+json" in bundle for bundle in bundles)
    assert any("application/vnd.plotly.v1+json" in bundle for bundle in bundles)
    page.goto("about:blank")
    jupyter_lab.shut_down_kernels()
    jupyter_lab.open(page, "PixelArithmetic.ipynb")
    figure = page.locator(".jp-Cell").first.locator(".jp-OutputArea-child").nth(1)
    figure.wait_for(timeout=60_000)
    assert figure.is_visible()
    assert "Pixel arithmetic" in figure.inner_text()
    assert page.locator(".course-explorable").count() == 0
