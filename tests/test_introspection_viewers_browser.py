"""The viewers of networks in JupyterLab: a small trained network, each viewer by mouse and by keyboard."""

import json

import pytest
from test_explorables_browser import output_of

pytestmark = pytest.mark.browser

WAIT_MS = 60_000

NETWORK = """
from course_lib.front_end import load_quietly
load_quietly("keras")
import json, keras, numpy as np
from course_lib.data import make_digits
from course_lib import explorables

keras.utils.set_random_seed(1)
layers = keras.layers
model = keras.Sequential([
    layers.Input((28, 28, 1)),
    layers.Conv2D(8, 3, activation="relu", name="edges"),
    layers.MaxPooling2D(2, name="pooled"),
    layers.Conv2D(16, 3, activation="relu", name="parts"),
    layers.MaxPooling2D(2, name="pooled_again"),
    layers.Flatten(name="flat"),
    layers.Dense(10, activation="softmax", name="classes"),
])
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
training, test = make_digits(900, seed=1), make_digits(300, part="test", seed=2)
model.fit(training.images[..., None] / 255, training.labels, epochs=3, batch_size=60, verbose=0)
images = (test.images[..., None] / 255).astype("float32")
"""

VIEWERS = {
    "filters": "explorables.FilterViewer(model)",
    "activations": 'explorables.ActivationViewer(model, images, test.labels, layer="parts", channel=3)',
    "maximization": "explorables.MaximizationViewer(model, images, steps=8, channel=3)",
    "attributions": "explorables.AttributionViewer(model, images, test.labels)",
    "confusions": "explorables.ConfusionExplorer(model, images, test.labels)",
    "embedding": "explorables.EmbeddingViewer(model, images, test.labels, n_points=150)",
}

READ = "print(json.dumps({name: viewer.state for name, viewer in viewers.items()}))"
ASSIGN = 'viewers["filters"].state = {"filter": 2}'


class Notebook:
    """The notebook in the page: cell 0 makes the network, then one viewer a cell, then ASSIGN, at last READ."""

    def __init__(self, lab, page):
        self.lab, self.page = lab, page
        cells = [NETWORK + "viewers = {}\n"]
        cells += [f'viewers["{name}"] = {source}\nviewers["{name}"]' for name, source in VIEWERS.items()]
        lab.write("viewers.ipynb", [*cells, ASSIGN, READ])
        lab.open(page, "viewers.ipynb")
        lab.run_all(page)

    def card(self, name):
        """The live view of a viewer, scrolled into the window, its kernel idle."""
        index = 1 + list(VIEWERS).index(name)
        self.page.evaluate(
            """async (index) => {
                const { content } = window.jupyterapp.shell.currentWidget;
                content.activeCellIndex = index;
                await content.scrollToItem(index, 'start');
            }""",
            index,
        )
        card = self.page.locator(".jp-Cell").nth(index).locator(".course-explorable")
        card.wait_for(timeout=WAIT_MS)
        self.idle(card)
        return card

    def idle(self, card):
        expect(card).to_have_attribute("aria-busy", "false", timeout=WAIT_MS)
        expect(card.locator(".ce-kernel")).to_have_text("idle", timeout=WAIT_MS)

    def says(self, card, *parts):
        for part in parts:
            expect(card.locator(".ce-summary")).to_contain_text(part, timeout=WAIT_MS)

    def press(self, locator, *keys):
        locator.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def states(self):
        """The states of all viewers in Python, after all that the browser asked for."""
        self.lab.run_cell(self.page, 2 + len(VIEWERS))
        return json.loads(output_of(self.page, 2 + len(VIEWERS)))

    def photograph(self, name, theme):
        from jupyter_lab_fixture import SCREENS

        card = self.card(name)
        card.evaluate("node => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        card.screenshot(path=SCREENS / f"viewer_{name}_{theme}.png")

    def dark(self):
        self.page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
        )
        self.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")


def expect(locator):
    # Imported late: only a test that has a browser needs Playwright.
    from playwright.sync_api import expect as playwright_expect

    return playwright_expect(locator)


def try_filters(notebook):
    card = notebook.card("filters")
    card.locator(".ce-gallery label").nth(3).click()
    notebook.says(card, "Filter 3 of layer edges (8 filters")
    # The keyboard walks through the same buttons, and through the layers.
    notebook.press(card.get_by_role("radio", checked=True), "ArrowRight")
    notebook.says(card, "Filter 4 of layer edges")
    notebook.press(card.get_by_role("combobox", name="layer"), "ArrowDown")
    notebook.says(card, "Filter 4 of layer parts (16 filters of 3 x 3 pixels, input channel 0 of 8)")
    # What Python sets is shown, and asked for by the browser itself.
    notebook.lab.run_cell(notebook.page, 1 + len(VIEWERS))
    notebook.says(notebook.card("filters"), "Filter 2 of layer parts")
    return {"layer": "parts", "filter": 2, "input_channel": 0}


def try_activations(notebook):
    card = notebook.card("activations")
    card.locator(".ce-gallery label").nth(5).click()
    notebook.says(card, "map 5 of 16")
    # The map has 11 x 11 pixels: the one in the third row from above, second from the right.
    pixels = card.get_by_role("img", name="map 5: click a pixel")
    size = pixels.bounding_box()
    pixels.click(position={"x": size["width"] * 9.5 / 11, "y": size["height"] * 2.5 / 11})
    notebook.says(card, "in row 2 and column 9", "sees 8 x 8 pixels of the input")
    # The frame on the input: 8 of 28 pixels wide, from column 18 on.
    frame = card.locator(".ce-panel", has_text="framed").locator(".ce-box")
    style = frame.evaluate("node => [node.style.left, node.style.width].map(parseFloat)")
    assert style == pytest.approx([100 * 18 / 28, 100 * 8 / 28], abs=0.1)
    # Faster than the kernel answers: only the last position counts.
    notebook.press(card.get_by_role("slider", name="input"), *["ArrowRight"] * 12)
    notebook.says(card, "Input 12, in truth")
    return {"example": 12, "channel": 5, "row": 2, "column": 9}


def try_maximization(notebook):
    card = notebook.card("maximization")
    notebook.says(card, "After 8 steps the score of class 3 went from")
    steps = "() => { const words = document.querySelectorAll('.ce-summary'); return [...words].some((one) => "
    card.get_by_role("button", name="Start").click()
    notebook.page.wait_for_function(
        steps + "Number(one.textContent.match(/^After (\\d+) steps/)?.[1]) > 20); }", timeout=WAIT_MS
    )
    card.get_by_role("button", name="Stop").click()
    # In this order: once the button offers to start again, no further steps are asked for.
    expect(card.get_by_role("button", name="Start")).to_be_visible(timeout=WAIT_MS)
    notebook.idle(card)
    words = card.locator("figcaption", has_text="input after").inner_text().split()
    reached = int(words[2])
    assert words[4] == words[2]
    notebook.press(card.get_by_role("button", name="Step ▶"), "Enter")
    notebook.says(card, f"After {reached + 1} steps")
    notebook.press(card.get_by_role("slider", name="total variation"), "ArrowRight", "ArrowRight")
    notebook.idle(card)
    return {"total_variation": 0.3, "steps": reached + 1}


def try_attributions(notebook):
    card = notebook.card("attributions")
    notebook.says(card, "7 maps explain its score", "within 1 % of their sum rule")
    expect(card.locator(".ce-tile canvas:visible")).to_have_count(7)
    card.locator(".ce-bars label").nth(2).click()
    notebook.says(card, " for 2, within 1 %")
    notebook.press(card.get_by_role("slider", name="input"), "ArrowRight")
    notebook.says(card, "Input 1 is taken for", "7 maps")
    # The sum of integrated gradients reaches its mark: the bar ends where the tick stands.
    bar = card.locator(".ce-tile", has_text="integrated gradients").locator(".ce-bar")
    ends = bar.evaluate(
        """node => {
            const box = (name) => node.querySelector(name).getBoundingClientRect();
            const [fill, tick] = [box('.ce-plus, .ce-minus'), box('.ce-tick')], middle = (tick.left + tick.right) / 2;
            return Math.min(Math.abs(fill.left - middle), Math.abs(fill.right - middle));
        }"""
    )
    assert ends < 3
    return {"example": 1, "target": 2}


def try_confusions(notebook):
    card = notebook.card("confusions")
    matrix = card.get_by_role("img", name="click a cell")
    size = matrix.bounding_box()
    matrix.click(position={"x": size["width"] * 0.45, "y": size["height"] * 0.45})
    notebook.says(card, "inputs of class 4", "are taken for 4; page 1")
    notebook.press(card.get_by_role("slider", name="true class"), "ArrowRight")
    notebook.says(card, "inputs of class 5")
    notebook.press(card.get_by_role("slider", name="true class"), "ArrowLeft")
    card.get_by_role("radio", name="one against the other").click()
    notebook.says(card, "inputs of class 4", "for 4 against the runner-up")
    return {"truth": 4, "predicted": 4, "explain": "difference"}


def try_embedding(notebook):
    card = notebook.card("embedding")
    notebook.says(card, "150 inputs arranged by PCA of layer flat")
    notebook.press(card.get_by_role("radio", name="PCA"), "ArrowRight")
    notebook.says(card, "arranged by t-SNE of layer flat")
    notebook.press(card.get_by_role("slider", name="point"), "ArrowRight")
    notebook.says(card, "point 1 is input")
    # The pointer chooses the point that it comes near to on its way across.
    cloud = card.get_by_role("img", name="points by t-SNE")
    cloud.scroll_into_view_if_needed()
    box = cloud.bounding_box()
    middle = box["y"] + box["height"] / 2
    notebook.page.mouse.move(box["x"] + 20, middle)
    notebook.page.mouse.move(box["x"] + box["width"] - 20, middle, steps=40)
    notebook.idle(card)
    found = int(card.get_by_role("slider", name="point").input_value())
    notebook.says(card, f"point {found} is input")
    assert found != 1
    return {"method": "t-SNE", "point": found}


def test_each_viewer_answers_mouse_and_keyboard(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1280, "height": 1300})
    notebook = Notebook(jupyter_lab, page)
    trials = [try_filters, try_activations, try_maximization, try_attributions, try_confusions, try_embedding]
    expected = {}
    for name, trial in zip(VIEWERS, trials, strict=True):
        expected[name] = trial(notebook)
        notebook.photograph(name, "light")
    states = notebook.states()
    for name, fields in expected.items():
        assert fields.items() <= states[name].items(), name
    notebook.dark()
    for name in VIEWERS:
        notebook.photograph(name, "dark")
        print(name, notebook.card(name).get_attribute("data-answer-ms"))
    # The static twin is hidden behind each live view.
    for index in range(1, 1 + len(VIEWERS)):
        children = page.locator(".jp-Cell").nth(index).locator(".jp-OutputArea-child")
        assert children.count() == 2 and not children.nth(1).is_visible()
    assert page.external_requests == []
    assert page.console_errors == []
