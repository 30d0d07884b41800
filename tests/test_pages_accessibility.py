"""What hands and eyes other than usual need of our pages: every control by keyboard, nothing serious for axe.

Tested elsewhere, each with axe in both themes: the gallery of live explorables and pages of the website
(test_website.py), feedback and report pages (test_feedback.py, test_reports.py), the pages of the exchange
(test_exchange_service.py), the playground and the live training, the latter steered by keyboard alone
(test_playground_browser.py, test_training_browser.py).
"""

import functools
import http.server
import json
import shutil
import threading

import pytest
from accessibility import serious_violations

from course_lib import explorables
from course_lib.explorables.kernel_backed import KernelBacked
from course_lib.training import monitor

pytestmark = pytest.mark.browser

BROWSER_COMPUTED = [getattr(explorables, name) for name in explorables.__all__]
BROWSER_COMPUTED = [kind for kind in BROWSER_COMPUTED if not issubclass(kind, KernelBacked)]

#: Begun so that all that the pointer does is on: drawing own points is one of several targets.
START = {"function_approximator": {"target": "points"}}

#: What can be operated; a group of radio buttons is one stop of the Tab key, and so are the playground's nodes, through
#: which the arrow keys walk (test_playground_browser.py).
STOPS = """() =>
  [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex], [role=slider]")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled)
  .filter((node) => (node.type !== "radio" || node.checked) && !(node.matches(".pg-node") && node.tabIndex < 0))"""
WATCH = """() => {
  window.name_of = (node) => [
    node.closest(".course-explorable, .course-training")?.getAttribute("aria-label"), node.tagName,
    node.getAttribute("aria-label") || node.labels?.[0]?.textContent || node.textContent].join(", ");
  window.reached = new Set();
  window.unseen = [];
  document.addEventListener("focusin", ({ target }) => {
    window.reached.add(name_of(target));
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    if (outlineStyle === "none" || outlineWidth === "0px") window.unseen.push(name_of(target));
  });
}"""


def show_all(page):
    """All explorables that need no kernel on one page, their question skipped; what they save is noted by field."""
    parts = []
    for kind in BROWSER_COMPUTED:
        shown = kind(prediction="skipped", **START.get(kind.name, {}))
        script = shown.script().replace("export default explorable", "const chosen = explorable")
        start = (
            f"const model = localModel({json.dumps(shown.state)}), keep = model.set, changed = new Set();"
            "model.set = (name, value) => { const old = model.get('state');"
            " for (const key of Object.keys(value))"
            " if (JSON.stringify(value[key]) !== JSON.stringify(old[key])) changed.add(key);"
            " keep(name, value); };"
            f"const el = document.getElementById('{kind.name}'); (window.changed ??= {{}})['{kind.name}'] = changed;"
            "chosen.render({ model, el });"
        )
        parts.append(f"<div id={kind.name}></div><script type=module>{script}\n{start}</script>")
    # Each press of the Tab key draws what it scrolls to: a small window and no motion make that cheap.
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 800, "height": 300})
    page.set_content(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Explorables</title>"
        f"<style>{BROWSER_COMPUTED[0].stylesheet()}</style><main>{''.join(parts)}</main>"
    )
    page.wait_for_function(
        "(wanted) => document.querySelectorAll('.course-explorable').length === wanted", arg=len(BROWSER_COMPUTED)
    )


SHOW_TRAINING = """async ([script, style, setup, [names, bytes, state]]) => {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const view = (await import(address)).default, handlers = [], el = document.createElement("div");
  window.sent = [];
  const model = {
    get: () => setup, on: (name, handler) => handlers.push(handler), off() {}, send: (one) => window.sent.push(one.kind)
  };
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  document.querySelector("main").append(el);
  view.initialize({ model });
  view.render({ model, el });
  const payload = new DataView(Uint8Array.from(bytes).buffer);
  for (const handler of handlers) handler({ kind: "curves", complete: true, curves: names, state }, [payload]);
}"""


def show_training(page):
    """A live training that runs, as in JupyterLab; what its controls send is in ``window.sent``."""
    names, payload = monitor.pack([(0, "loss", [1, 2, 3], [1.0, 0.5, 0.25])])
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
    setup = {"title": "A training", "run": "1", "units": {}, "controls": True, "learningRate": 0.1, "inspect": True}
    parts = [monitor.script(), monitor.stylesheet(), setup, [names, list(payload), state]]
    page.evaluate(SHOW_TRAINING, parts)
    page.get_by_role("button", name="Pause").last.wait_for()


def fields_saved(page, name):
    """The fields that changed since the last call. A view saves 80 ms after a change; a later timer rings later."""
    return set(
        page.evaluate(
            "(name) => new Promise((done) => setTimeout(() => {"
            " const found = [...changed[name]]; changed[name].clear(); done(found); }, 300))",
            name,
        )
    )


def move_by_pointer(page, canvas):
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.7, steps=4)
    page.mouse.up()


#: The keys that change a control once it has the focus. Buttons are left out: one that puts a slider at some place is
#: not the same as the slider.
KEYS = {"range": ["ArrowRight", "ArrowLeft", "ArrowLeft"], "number": ["ArrowUp"], "checkbox": ["Space"]}
KEYS |= {"radio": ["ArrowRight"], "select-one": ["ArrowDown"], None: ["ArrowRight", "ArrowDown", "Enter"]}
CONTROLS = """(card) => {
  window.controls = [...card.querySelectorAll("input, select, canvas[tabindex='0']")]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled);
  return window.controls.map((node) => node.type ?? null);
}"""


def fields_changed_by_keyboard(page, card, name):
    """Operate all sliders, lists, switches, numbers and walkable pictures of a card; return what changed."""
    for index, kind in enumerate(card.evaluate(CONTROLS)):
        page.evaluate("(index) => window.controls[index].focus()", index)
        for key in KEYS[kind]:
            page.keyboard.press(key)
    return fields_saved(page, name)


def test_every_control_is_reached_by_keyboard_and_none_needs_a_pointer(browser_page):
    page = browser_page
    show_all(page)
    show_training(page)
    page.evaluate(WATCH)
    for _ in range(page.evaluate(f"() => ({STOPS})().length") + 5):
        page.keyboard.press("Tab")
    missed = page.evaluate(f"() => ({STOPS})().map(name_of).filter((name) => !reached.has(name))")
    assert missed == []
    assert page.evaluate("() => reached.size") > 300, "this page should have hundreds of controls"
    assert page.evaluate("() => unseen") == [], "who has the focus must be visible"

    # What a picture does under the pointer, some control does under the keyboard.
    moved = {}
    for kind in BROWSER_COMPUTED:
        card = page.locator(f'.course-explorable[aria-label="{kind.title}"]')
        assert card.count() == 1, kind.title
        pictures = card.locator("canvas.ce-picked:not([tabindex='0'])").all()
        if not pictures:
            continue
        for picture in pictures:
            if picture.is_visible():
                move_by_pointer(page, picture)
        moved[kind.name] = fields_saved(page, kind.name)
        assert moved[kind.name] <= fields_changed_by_keyboard(page, card, kind.name), kind.name
    assert sum(map(bool, moved.values())) >= 9, moved
    assert page.console_errors == [] and page.external_requests == []


@pytest.fixture
def served():
    """A function that serves a folder on a free loopback port; scripts that are modules load from no file."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    def serve(folder):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_guides_for_teachers_are_accessible(repository, tmp_path, browser_page, served):
    """Built alone: with the chapters it takes minutes, and they are the same pages."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    source, target = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    guides = sorted(path.stem for path in (repository / "docs").glob("*.md"))
    for guide in guides:
        shutil.copyfile(repository / "docs" / f"{guide}.md", source / f"{guide}.md")
    (source / "index.md").write_text("# Teaching\n\n```{toctree}\n" + "\n".join(guides) + "\n```\n")
    with patch_docutils(str(repository / "docs")), docutils_namespace():
        sphinx = Sphinx(
            srcdir=str(source),
            confdir=str(repository / "docs"),
            outdir=str(target),
            doctreedir=str(tmp_path / "doctrees"),
            buildername="html",
            status=None,
            # The style of the explorables belongs to what `autograder.website` adds.
            confoverrides={"html_css_files": ["website.css"]},
            warningiserror=True,
        )
        sphinx.build()
    page, address = browser_page, served(target)
    for number, guide in enumerate(guides):
        page.emulate_media(color_scheme=("light", "dark")[number % 2])
        page.goto(f"{address}/{guide}.html")
        if page.locator("pre").count():
            # The site's script lets the keyboard scroll what is wider than the page.
            page.wait_for_function(
                "() => [...document.querySelectorAll('div.highlight pre')].every("
                "(box) => box.scrollWidth <= box.clientWidth || box.tabIndex === 0)"
            )
        assert serious_violations(page) == {}, guide
    assert page.console_errors == [] and page.external_requests == []
