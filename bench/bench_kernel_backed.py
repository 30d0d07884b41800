"""How soon the kernel answers a slider: the viewers of networks in JupyterLab, measured in the browser.

Usage: python bench/bench_kernel_backed.py [--strokes 20]

Each viewer of the introspection library explains a small trained network in a real JupyterLab page. Its slider is moved
by key strokes, one after the other, and the view itself reports the time from the request until the answer has come:
browser, server, kernel, the cached compiled function, and back. The peer, in the same kernel and the same page, is what
a notebook without the library does: an ipywidgets slider whose callback calls `model.predict` on one input and hands
the answer to a label; its time is taken in the browser, too, from the key stroke until the label has changed.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from jupyter_lab_fixture import open_browser_page, serve_jupyter_lab
from test_introspection_viewers_browser import NETWORK, VIEWERS, Notebook, expect

from autograder.browser import install_browser

#: The slider of each that asks the kernel. The embedding's only one chooses among points that the browser has already.
SLIDERS = {
    "filters": None,
    "activations": "input",
    "maximization": "total variation",
    "attributions": "input",
    "confusions": "true class",
}
TARGET_MS = 100

PEER = """
import ipywidgets
slider = ipywidgets.IntSlider(min=0, max=99, description="input", continuous_update=True)
answer = ipywidgets.Label("none")
def predict(change):
    scores = model.predict(images[change["new"]][None], verbose=0)[0]
    answer.value = f"input {change['new']}: {scores.argmax()} with {scores.max():.2f}"
slider.observe(predict, "value")
display(slider, answer)
"""

PEER_STROKES = """async (n) => {
    const cells = document.querySelectorAll('.jp-Cell'), cell = cells[cells.length - 1];
    const handle = cell.querySelector('.noUi-handle');
    const labels = [...cell.querySelectorAll('.widget-label')], shown = labels[labels.length - 1];
    const costs = [];
    for (let stroke = 0; stroke < n; stroke++) {
        const before = shown.textContent, start = performance.now();
        handle.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
        while (shown.textContent === before) await new Promise((done) => setTimeout(done, 1));
        costs.push(performance.now() - start);
    }
    return costs;
}"""


#: Some answers come in parts (one attribution method after the other): the first one moves the picture.
FIRST_ANSWER = """node => {
    node.firstAnswer = null;
    node.observer ??= new MutationObserver(() => { node.firstAnswer ??= node.dataset.answerMs; });
    node.observer.observe(node, {attributeFilter: ["data-answer-ms"]});
}"""


def answers(notebook, name, n_strokes):
    """Milliseconds of the first part of each answer of this viewer."""
    card = notebook.card(name)
    if SLIDERS[name]:
        slider = card.get_by_role("slider", name=SLIDERS[name])
    else:
        slider = card.get_by_role("radio", checked=True).first
    costs = []
    for stroke in range(n_strokes):
        slider.focus()
        card.evaluate(FIRST_ANSWER)
        notebook.page.keyboard.press("ArrowRight" if stroke % 8 < 4 else "ArrowLeft")
        notebook.idle(card)
        costs.append(float(card.evaluate("node => node.firstAnswer")))
    return costs


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--strokes", type=int, default=20)
    n_strokes = arguments.parse_args().strokes
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as root,
        serve_jupyter_lab(Path(home), Path(root)) as lab,
        open_browser_page(install_browser()) as page,
    ):
        page.set_viewport_size({"width": 1280, "height": 1300})
        notebook = Notebook(lab, page)
        costs = {name: answers(notebook, name, n_strokes) for name in SLIDERS}
        lab.write("peer.ipynb", [NETWORK + PEER])
        lab.open(page, "peer.ipynb")
        lab.run_all(page)
        expect(page.locator(".noUi-handle").first).to_be_visible()
        peer = statistics.median(page.evaluate(PEER_STROKES, n_strokes))
    print(f"{'answer to a key stroke':30} {'median / ms':>12} {'largest / ms':>13} {'of the peer':>12}")
    print(f"{'ipywidgets and model.predict':30} {peer:12.0f} {'':13} {1:12.2f}")
    for name, times in costs.items():
        median = statistics.median(times)
        print(
            f"{VIEWERS[name].split('(')[0].split('.')[-1]:30} {median:12.0f} {max(times):13.0f} {median / peer:12.2f}"
        )
    worst = max(statistics.median(times) for times in costs.values())
    print(f"{'met   ' if worst <= TARGET_MS else 'MISSED'} slowest median {worst:.0f} ms (at most {TARGET_MS} ms)")


if __name__ == "__main__":
    main()
