"""What a redraw of an explorable costs in the browser, next to plotly drawing an image of the same kind.

Usage: python bench/bench_explorables.py

Each explorable is shown on a bare page without a kernel, its first slider is moved by 60 key strokes, and the view
itself reports what each redraw cost. The peer, in the same browser and the same run, is plotly.js restyling a heat map
of 32 x 32 pixels: what a widget based on plotly would have to do for each position of a slider. A frame at 60 Hz lasts
16.7 ms.
"""

import json
import statistics
from pathlib import Path

import plotly

from autograder.browser import install_browser
from course_lib import explorables

N_STROKES = 60
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

PLOTLY_REDRAWS = """async (n) => {
    const random = () => Array.from({length: 32}, () => Array.from({length: 32}, Math.random));
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
    state = json.dumps(explorable.state)
    start = f"chosen.render({{model: localModel({state}), el: document.getElementById('here')}});"
    return (
        f"<!doctype html><meta charset=utf-8><style>{explorable.stylesheet()}</style><div id=here></div>"
        f"<script type=module>{script}\n{start}</script>"
    )


def redraws(page, explorable):
    page.set_content(page_of(explorable))
    card = page.locator(".course-explorable")
    card.wait_for()
    if card.get_by_text("Skip").count():
        card.get_by_text("Skip").first.click()
    card.get_by_role("slider").first.focus()
    costs = []
    for stroke in range(N_STROKES):
        page.keyboard.press("ArrowRight" if stroke % 10 < 5 else "ArrowLeft")
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        costs.append(float(card.get_attribute("data-frame-ms")))
    return costs


def plotly_redraws(page):
    page.set_content("<!doctype html><meta charset=utf-8><div id=figure></div>")
    page.add_script_tag(path=str(Path(plotly.__file__).parent / "package_data" / "plotly.min.js"))
    return page.evaluate(PLOTLY_REDRAWS, N_STROKES)


def main():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=install_browser(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1020, "height": 1100})
        peer = statistics.median(plotly_redraws(page))
        print(f"{'redraw of':30s} {'median / ms':>12s} {'95 % / ms':>12s} {'of plotly':>10s}")
        print(f"{'plotly heat map 32 x 32':30s} {peer:12.1f} {'':12s} {1:10.2f}")
        for name in explorables.__all__:
            kind = getattr(explorables, name)
            if not hasattr(kind, "script"):
                continue
            costs = redraws(page, kind())
            late = statistics.quantiles(costs, n=20)[-1]
            median = statistics.median(costs)
            print(f"{name:30s} {median:12.1f} {late:12.1f} {median / peer:10.2f}")
        browser.close()


if __name__ == "__main__":
    main()
