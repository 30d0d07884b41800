"""How fast the playground trains and draws in Chromium, next to Keras and plotly in the same run.

Usage: python bench/bench_playground.py

Training: epochs a second of the browser, of the Python twin and of ``keras.Model.fit``, for the same networks, data and
batches. Drawing: milliseconds that a picture of everything (surface, nodes, weights, losses) costs while a network
trains at one epoch a frame, and the time from frame to frame, next to plotly.js restyling one heat map with as many
cells as the surface alone. A frame at 60 Hz lasts 16.7 ms.
"""

import json
import statistics
import time
from pathlib import Path

import plotly

from autograder.browser import install_browser
from course_lib.explorables import Playground, playground
from course_lib.front_end import load_quietly

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

NETWORKS = {
    "4 ReLU": {"layers": [4]},
    "8-8 tanh": {"layers": [8, 8], "activation": "tanh", "optimiser": "adam", "learning_rate": 0.01},
    "6 x 8 ReLU": {"layers": [8] * 6, "optimiser": "adam", "learning_rate": 0.01, "noise": 0.5},
}

TRAIN_IN_BROWSER = """({ state, epochs }) => {
    window.trainedNumbers({ ...state, epoch: 20 });
    const start = performance.now();
    window.trainedNumbers({ ...state, epoch: epochs });
    return (1000 * epochs) / (performance.now() - start);
}"""

FRAMES = """async (n) => {
    const intervals = [], drawing = [], card = document.querySelector('.course-explorable');
    let last = await new Promise(requestAnimationFrame);
    for (let index = 0; index < n; index++) {
        const now = await new Promise(requestAnimationFrame);
        intervals.push(now - last);
        drawing.push(Number(card.dataset.frameMs));
        last = now;
    }
    return [intervals, drawing];
}"""

PLOTLY_REDRAWS = """async (n) => {
    const random = () => Array.from({length: 48}, () => Array.from({length: 48}, Math.random));
    const node = document.getElementById('figure');
    await Plotly.newPlot(node, [{type: 'heatmap', z: random()}]);
    const costs = [];
    for (let index = 0; index < n; index++) {
        const z = random(), start = performance.now();
        await Plotly.restyle(node, {z: [z]});
        costs.push(performance.now() - start);
    }
    return costs;
}"""


def page_of(explorable):
    script = explorable.script().replace("export default explorable", "const chosen = explorable")
    start = f"chosen.render({{model: localModel({json.dumps(explorable.state)}), el: document.querySelector('main')}});"
    return (
        f"<!doctype html><meta charset=utf-8><style>{explorable.stylesheet()}</style><main></main>"
        f"<script type=module>{script}\nwindow.trainedNumbers = trainedNumbers;\n{start}</script>"
    )


def keras_epochs_a_second(state, epochs):
    names = {}
    program = playground.keras_code({**state, "epoch": epochs})
    exec(program.replace(f"epochs={epochs}", "epochs=1"), names)  # traces the training step
    fit = program[program.index("history = ") :]
    start = time.perf_counter()
    exec(fit, names)
    return epochs / (time.perf_counter() - start)


def twin_epochs_a_second(state, epochs):
    start = time.perf_counter()
    playground.run(state, epochs=epochs)
    return epochs / (time.perf_counter() - start)


def main():
    from playwright.sync_api import sync_playwright

    load_quietly("keras")
    print(f"script: {len(Playground.script().encode()) / 1000:.0f} kB with the kit")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=install_browser(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1020, "height": 1400})
        print(f"\n{'epochs a second':16s} {'browser':>10s} {'twin':>8s} {'Keras fit':>10s} {'browser / Keras':>16s}")
        for name, fields in NETWORKS.items():
            state = Playground(**fields).state
            page.set_content(page_of(Playground(**fields)))
            page.wait_for_function("() => window.trainedNumbers")
            ours = page.evaluate(TRAIN_IN_BROWSER, {"state": state, "epochs": 300})
            twin, keras = twin_epochs_a_second(state, 40), keras_epochs_a_second(state, 10)
            print(f"{name:16s} {ours:10.0f} {twin:8.0f} {keras:10.1f} {ours / keras:16.0f}")
        page.set_content("<!doctype html><meta charset=utf-8><div id=figure></div>")
        page.add_script_tag(path=str(Path(plotly.__file__).parent / "package_data" / "plotly.min.js"))
        peer = statistics.median(page.evaluate(PLOTLY_REDRAWS, 60))
        print(f"\n{'ms a picture':16s} {'median':>10s} {'95 %':>8s} {'from frame to frame':>20s} {'of plotly':>10s}")
        print(f"{'plotly heat map':16s} {peer:10.1f} {'':8s} {'':20s} {1:10.2f}")
        for name, fields in NETWORKS.items():
            page.set_content(page_of(Playground(**fields, prediction="skipped")))
            page.get_by_role("button", name="▶ Play").click()
            page.wait_for_timeout(500)
            intervals, drawing = page.evaluate(FRAMES, 120)
            median, late = statistics.median(drawing), statistics.quantiles(drawing, n=20)[-1]
            print(f"{name:16s} {median:10.1f} {late:8.1f} {statistics.median(intervals):20.1f} {median / peer:10.2f}")
        browser.close()


if __name__ == "__main__":
    main()
