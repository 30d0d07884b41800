"""The live training monitor in JupyterLab: curves move while the cell runs, and a figure stays."""

import re

import pytest
from accessibility import serious_violations
from jupyter_lab_fixture import SCREENS

from course_lib.training import monitor

SET_UP = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from course_lib.training import LiveTraining

keras.utils.set_random_seed(3)
generator = np.random.default_rng(1)
events = generator.normal(size=(1200, 20)).astype("float32")
is_signal = (events @ generator.normal(size=20) + 1.5 * generator.normal(size=1200) > 0).astype("float32")
model = keras.Sequential(
    [keras.Input((20,)), *[keras.layers.Dense(64, "relu") for _ in "12"], keras.layers.Dense(1, "sigmoid")]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
earlier = {
    f"seed {seed}": {"loss": [0.7 * 0.97**e + 0.01 * seed for e in range(25)],
                     "val_loss": [0.72 * 0.985**e + 0.02 * seed for e in range(25)]}
    for seed in range(3)
}
live = LiveTraining(title="Signal or background", earlier=earlier, inspect=(events[:256], is_signal[:256]))
"""

#: Slow enough to be watched; ends when the test has seen enough and writes the file of this name.
FIT = """
from pathlib import Path
from time import sleep

class Watched(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        sleep(0.01)
        if Path("ENOUGH").exists():
            self.model.stop_training = True

options = dict(validation_split=0.5, epochs=2000, batch_size=20, verbose=0)
history = model.fit(events, is_signal, callbacks=[live, Watched()], **options)
"""

CHECK = "print('same', live.history == history.history, live.record.outcome)"

N_POINTS = "() => Number(document.querySelector('.course-training')?.dataset.points ?? 0)"
CANVAS = "() => document.querySelector('.course-training canvas').toDataURL()"


def scroll_to(page, selector):
    page.locator(selector).first.evaluate("node => node.scrollIntoView({block: 'center'})")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_move_and_a_figure_stays(jupyter_lab, browser_page, theme):
    page = browser_page
    page.set_default_timeout(120_000)
    name = f"live_training_{theme}.ipynb"
    enough = f"seen_{theme}"
    jupyter_lab.write(name, [SET_UP, FIT.replace("ENOUGH", enough), CHECK])
    jupyter_lab.open(page, name, theme=theme)
    jupyter_lab.run_all(page, wait=False)

    page.wait_for_function(f"() => ({N_POINTS})() > 40", timeout=120_000)
    scroll_to(page, ".course-training")
    n_points, picture = page.evaluate(N_POINTS), page.evaluate(CANVAS)
    page.wait_for_function(f"() => ({N_POINTS})() > {n_points + 150}", timeout=180_000)
    assert page.evaluate(CANVAS) != picture, "the points arrived, but the canvas did not change"
    monitor = page.locator(".course-training")
    assert re.search(r"epoch \d+ of 2000", monitor.locator(".ct-facts").inner_text())

    # Controls that need no kernel work while the cell is busy.
    loss = monitor.locator("canvas").first
    loss.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.ct-key + small')?.textContent === 'at epoch 2'")
    assert "validation" in loss.get_attribute("aria-label")
    monitor.screenshot(path=SCREENS / f"live_training_{theme}.png")
    page.keyboard.press("Escape")
    linear = page.evaluate(CANVAS)
    # Earlier trainings: thin lines, a band, or nothing.
    behind = monitor.get_by_label("earlier runs")
    for choice in ("band", "hide", "lines"):
        before = page.evaluate(CANVAS)
        behind.select_option(choice)
        page.wait_for_function(
            "picture => document.querySelector('.course-training canvas').toDataURL() !== picture", arg=before
        )
        if choice == "band":
            monitor.screenshot(path=SCREENS / f"live_training_{theme}_band.png")
    monitor.get_by_label("logarithmic values").check()
    monitor.get_by_label("smoothing").fill("0.8")
    page.wait_for_function(
        "picture => document.querySelector('.course-training canvas').toDataURL() !== picture", arg=linear
    )
    monitor.get_by_text("Values as a table").click()
    page.wait_for_function("() => document.querySelectorAll('.ct-table tr').length > 2")
    # Three layers were looked into after each epoch.
    page.wait_for_function("() => document.querySelectorAll('.ct-layers tr').length === 4", timeout=120_000)
    assert serious_violations(page, ".course-training") == {}
    scroll_to(page, ".course-training")
    monitor.screenshot(path=SCREENS / f"live_training_{theme}_options.png")

    (jupyter_lab.root / enough).touch()
    jupyter_lab.wait_until_run(page)
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=180_000)
    scroll_to(page, ".js-plotly-plot")
    page.wait_for_timeout(500)  # plotly settles
    page.screenshot(path=SCREENS / f"live_training_{theme}_end.png")
    assert page.locator(".course-training").count() == 0
    assert "same True stopped early" in page.locator(".jp-OutputArea-output").last.inner_text()

    saved = jupyter_lab.save(page)
    curves, layers = saved.cells[1].outputs
    # Five of this training and two of each of the three before it.
    assert len(curves.data["application/vnd.plotly.v1+json"]["data"]) == 5 + 6
    assert layers.data["text/plain"] == "Signal or background: the layers"
    assert "widgets" not in saved.metadata
    assert page.console_errors == []
    assert page.external_requests == []


@pytest.mark.slow
@pytest.mark.browser
def test_an_interrupted_training_says_so(jupyter_lab, browser_page):
    page = browser_page
    page.set_default_timeout(120_000)
    jupyter_lab.write("interrupted.ipynb", [SET_UP, FIT])
    jupyter_lab.open(page, "interrupted.ipynb")
    jupyter_lab.run_all(page, wait=False)
    page.wait_for_function(f"() => ({N_POINTS})() > 100", timeout=120_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    page.wait_for_selector(".js-plotly-plot", timeout=180_000)
    assert page.locator(".course-training").count() == 0
    page.wait_for_function("() => document.body.innerText.includes('Interrupted after')", timeout=120_000)
    assert "KeyboardInterrupt" in page.locator(".jp-OutputArea").last.inner_text()
    assert page.external_requests == []


STEERED = """
options = dict(validation_split=0.5, epochs=400, batch_size=20)
slower = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: sleep(0.01))
history = await live.fit(model, events, is_signal, callbacks=[slower], **options)
"""

N_LAYERS = "() => Number(document.querySelector('.course-training')?.dataset.layers ?? 0)"
N_BATCHES = "() => Number(document.querySelector('.course-training')?.dataset.batches ?? 0)"


@pytest.mark.slow
@pytest.mark.browser
def test_controls_act_while_it_trains_and_survive_a_reload(jupyter_lab, browser_page):
    page = browser_page
    page.set_default_timeout(120_000)
    report = (
        "print('rate', float(model.optimizer.learning_rate), live.record.outcome, live.record.n_batches)\n"
        "import threading; print('threads', [t.name for t in threading.enumerate() if 'asyncio' in t.name])"
    )
    # Nothing is looked into unless the button asks.
    set_up = SET_UP.replace(", inspect=(events[:256], is_signal[:256])", "")
    cells = [set_up + "from time import sleep", STEERED, report]
    jupyter_lab.write("steered.ipynb", cells)
    jupyter_lab.open(page, "steered.ipynb")
    jupyter_lab.run_all(page, wait=False)
    page.wait_for_function(f"() => ({N_BATCHES})() > 20", timeout=120_000)
    monitor = page.locator(".course-training")

    monitor.get_by_role("button", name="Pause").click()
    monitor.get_by_role("button", name="Continue").wait_for()
    # The last batches may arrive late on a busy machine; a training that goes on makes a hundred in this time.
    page.wait_for_timeout(4000)
    n_batches = page.evaluate(N_BATCHES)
    page.wait_for_timeout(2000)
    assert page.evaluate(N_BATCHES) == n_batches, "it went on while paused"
    monitor.get_by_role("button", name="One step").press("Enter")  # by keyboard
    page.wait_for_function(f"() => ({N_BATCHES})() === {n_batches + 1}", timeout=120_000)
    scroll_to(page, ".course-training")
    monitor.screenshot(path=SCREENS / "live_training_steered.png")

    # In the pause a look into the layers; the step after it completes it.
    assert page.evaluate(N_LAYERS) == 0
    monitor.get_by_role("button", name="Look into the layers").click()
    page.wait_for_function(f"() => ({N_LAYERS})() === 3", timeout=120_000)
    monitor.get_by_role("button", name="One step").click()
    page.wait_for_function(
        "() => document.querySelector('.ct-layers tr:nth-child(2) td:nth-child(4)').textContent !== ''", timeout=120_000
    )
    scroll_to(page, ".course-training")
    monitor.screenshot(path=SCREENS / "live_training_layers.png")

    monitor.get_by_label("learning rate").fill("1")  # ten times the 0.001 of Adam
    monitor.get_by_role("button", name="Continue").click()
    page.wait_for_function(f"() => ({N_BATCHES})() > {n_batches + 30}", timeout=120_000)

    jupyter_lab.save(page)
    page.reload()
    page.wait_for_function(f"() => ({N_BATCHES})() > {n_batches + 60}", timeout=120_000)
    first = page.evaluate(N_BATCHES)
    page.wait_for_function(f"() => ({N_BATCHES})() > {first + 20}", timeout=120_000)
    monitor = page.locator(".course-training")
    scroll_to(page, ".course-training")
    assert "0.01" in monitor.locator(".ct-steering output").inner_text()
    monitor.screenshot(path=SCREENS / "live_training_reloaded.png")
    monitor.get_by_role("button", name="Stop, keep weights").click()
    page.wait_for_function("() => document.querySelector('.course-training').dataset.outcome === 'stopped by hand'")

    # The kernel is free again, and the rest of the notebook sees the training.
    jupyter_lab.run_cell(page, 2)
    text = page.locator(".jp-OutputArea-output").last.inner_text()
    assert "rate 0.01" in text.replace("0.009999999776482582", "0.01") and "stopped by hand" in text
    assert page.external_requests == []
    assert page.console_errors == []


RACE = """
from time import sleep

def racer(optimizer):
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")])
    model.compile(optimizer, "binary_crossentropy")
    return model

def breathe(model):
    sleep(0.1)
    return float(model.optimizer.learning_rate)

optimizers = {"SGD": keras.optimizers.SGD(0.1), "momentum": keras.optimizers.SGD(0.1, momentum=0.9), "Adam": "adam"}
models = {name: racer(optimizer) for name, optimizer in optimizers.items()}
race = LiveTraining("Three optimisers, one start", measures={"rate": breathe})
data = dict(validation_data=(events[600:], is_signal[600:]), epochs=2000, batch_size=20)
history = await race.race(models, events[:600], is_signal[:600], **data)
"""

AGAIN = """
def train(run):
    for epoch in range(2):
        for batch in range(5):
            run["generator"].batch(loss=2 - 0.1 * batch, samples=8)
            run["critic"].batch(loss=1 + 0.1 * batch, samples=8)
        run.epoch(critic={"val_loss": 1.2})

again = LiveTraining("By hand")
await again.loop(train, epochs=2, models=["generator", "critic"])
"""


@pytest.mark.slow
@pytest.mark.browser
def test_a_race_is_steered_as_one_and_a_cell_run_again_leaves_nothing(jupyter_lab, browser_page):
    page = browser_page
    page.set_default_timeout(120_000)
    report = "print('rates', [round(float(model.optimizer.learning_rate), 5) for model in models.values()])"
    jupyter_lab.write("race.ipynb", [SET_UP, RACE, report, AGAIN])
    jupyter_lab.open(page, "race.ipynb")
    jupyter_lab.run_all(page, wait=False)
    page.wait_for_function(f"() => ({N_BATCHES})() > 90", timeout=180_000)  # three epochs
    monitor = page.locator(".course-training")
    scroll_to(page, ".course-training")
    assert monitor.locator("canvas").count() == 2  # the loss and the measured rate
    keys = monitor.locator("figcaption").first.inner_text()
    assert all(name in keys for name in ("SGD", "momentum", "Adam", "val."))
    # By keyboard alone: pause, a tenth of each learning rate, continue.
    monitor.get_by_role("button", name="Pause").press("Enter")
    monitor.get_by_role("button", name="Continue").wait_for(timeout=120_000)
    slider = monitor.get_by_label("learning rates")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    assert monitor.locator(".ct-steering output").inner_text() == "× 0.1"
    monitor.screenshot(path=SCREENS / "live_training_race_light.png")
    assert serious_violations(page, ".course-training") == {}
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'", timeout=120_000)
    page.wait_for_timeout(1000)  # the style sheet of the theme arrives
    monitor.screenshot(path=SCREENS / "live_training_race_dark.png")
    assert serious_violations(page, ".course-training") == {}
    n_batches = page.evaluate(N_BATCHES)
    monitor.get_by_role("button", name="Continue").press("Space")
    page.wait_for_function(f"() => ({N_BATCHES})() > {n_batches + 5}", timeout=120_000)
    monitor.get_by_role("button", name="Stop, keep weights").press("Enter")
    jupyter_lab.wait_until_run(page)
    text = page.locator(".jp-Notebook").inner_text()
    assert "rates [0.01, 0.01, 0.0001]" in text

    for _ in range(5):
        jupyter_lab.run_cell(page, 3)
    page.wait_for_function("() => document.querySelectorAll('.course-training').length === 0", timeout=120_000)
    scroll_to(page, ".jp-Cell:last-child .js-plotly-plot")
    page.wait_for_timeout(500)  # plotly settles
    page.screenshot(path=SCREENS / "live_training_by_hand.png")
    saved = jupyter_lab.save(page)
    (figure,) = saved.cells[3].outputs
    assert "generator: Finished after 2 of 2 epochs" in figure.data["text/plain"]
    assert "widgets" not in saved.metadata
    assert page.external_requests == []
    assert page.console_errors == []


OPEN_AND_CLOSE = """async ([script, setup, [names, bytes, state], times]) => {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  window.view ??= (await import(address)).default;
  URL.revokeObjectURL(address);
  for (let k = 0; k < times; k++) {
    const handlers = [], runSetup = { ...setup, run: String(Math.random()) }, el = document.createElement("div");
    const model = { get: () => runSetup, on: (name, handler) => handlers.push(handler), off() {}, send() {} };
    document.body.append(el);
    const ends = [window.view.initialize({ model }), window.view.render({ model, el })];
    const payload = new DataView(Uint8Array.from(bytes).buffer);
    for (const handler of handlers) handler({ kind: "curves", complete: true, curves: names, state }, [payload]);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    if (!el.querySelector("canvas").getContext("2d").getImageData(0, 0, 300, 100).data.some(Boolean)) throw "blank";
    for (const end of ends) end();
    el.remove();
  }
}"""


@pytest.mark.browser
def test_fifty_views_leave_nothing_in_the_page(browser_page):
    names, payload = monitor.pack(
        [(0, "loss", [1, 2, 3], [1.0, 0.5, 0.25]), (0, "batch loss", [1, 2, 3], [1.0, 0.6, 0.2])]
    )
    model = {"name": "", "steps": 1, "bestBatch": 3, "bestName": "loss", "finding": None, "layers": None}
    state = {
        "epoch": 3,
        "epochs": 9,
        "steps": 1,
        "outcome": "running",
        "models": [model],
        "earlier": [],
        "summary": "x",
    }
    setup = {"title": "again", "units": {}, "controls": True, "learningRate": 0.1, "inspect": True}
    browser_page.set_content(f"<html lang='en'><style>{monitor.stylesheet()}</style><body></body></html>")
    inspector = browser_page.context.new_cdp_session(browser_page)
    counts = []
    for times in (1, 50):
        browser_page.evaluate(OPEN_AND_CLOSE, [monitor.script(), setup, [names, list(payload), state], times])
        inspector.send("HeapProfiler.collectGarbage")
        counts.append(inspector.send("Memory.getDOMCounters"))
    first, last = counts
    # A view has some 150 nodes and a dozen listeners: of fifty not even one may stay.
    assert last["nodes"] < first["nodes"] + 50 and last["jsEventListeners"] < first["jsEventListeners"] + 10
    assert browser_page.console_errors == [] and browser_page.external_requests == []
