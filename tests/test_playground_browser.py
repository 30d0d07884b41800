"""The playground in a browser: every control once, the keyboard alone, a busy kernel, both themes."""

import json

import pytest
from test_explorables_browser import look, show, state_in_python

from course_lib.explorables import Playground, playground

pytestmark = pytest.mark.browser

WAIT_MS = 120_000

#: As JupyterLab's dark theme sets them.
DARK = (
    "<style>body { background: #111 } :root { --jp-ui-font-color1: #fff; --jp-layout-color1: #111;"
    " --jp-layout-color2: #424242; --jp-border-color1: #616161 }</style>"
)


def open_page(page, dark=False, **fields):
    """Show a playground on a page without a kernel, as the website does; returns its card."""
    shown = Playground(**fields)
    script = shown.script().replace("export default explorable", "const chosen = explorable")
    start = (
        f"window.model = localModel({json.dumps(shown.state)});"
        "chosen.render({ model: window.model, el: document.querySelector('main') });"
    )
    page.set_viewport_size({"width": 1040, "height": 1400})
    page.set_content(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Playground</title>{DARK if dark else ''}"
        f"<style>{shown.stylesheet()}</style><main></main><script type=module>{script}\n{start}</script>"
    )
    card = page.locator(".course-explorable")
    card.wait_for(timeout=WAIT_MS)
    return card


def expect(locator):
    # Imported late: only a test that has a browser needs Playwright.
    from playwright.sync_api import expect as playwright_expect

    return playwright_expect(locator)


def state_is(page, condition):
    """Wait until the state that the page has handed over fulfils a JavaScript condition on `s`; returns it."""
    page.wait_for_function(f"() => {{ const s = window.model.get('state'); return {condition}; }}", timeout=WAIT_MS)
    return page.evaluate("() => window.model.get('state')")


def state_at_rest(page, condition):
    """Like `state_is`, after what the last click changed is handed over.

    The page saves 80 ms after a change; a timer of 300 ms that starts later in the same page cannot ring before.
    """
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")
    return state_is(page, condition)


def says_what_python_says(card, state):
    expect(card.locator(".ce-summary")).to_have_text(Playground(state).summary(), timeout=WAIT_MS)


def test_play_pause_step_and_slow_motion(browser_page):
    page = browser_page
    card = open_page(page)
    button = lambda name: card.get_by_role("button", name=name, exact=True)  # noqa: E731
    # First a prediction: until then the result is hidden and cannot be played.
    expect(button("▶ Play")).to_be_disabled()
    button("almost perfect").click()
    expect(card.locator(".ce-answer")).to_contain_text("Right: after 300 epochs", timeout=WAIT_MS)
    button("▶ Play").click()
    page.wait_for_function("() => Number(document.querySelector('.pg-net').dataset.epoch) > 20", timeout=WAIT_MS)
    button("❚❚ Pause").click()
    played = state_at_rest(page, "s.epoch > 20 && s.batch === 0")
    says_what_python_says(card, played)
    button("Step: epoch").click()
    state_is(page, f"s.epoch === {played['epoch'] + 1}")
    # In slow motion a step is one batch, and its points are marked.
    card.get_by_role("radio", name="batch by batch").check()
    button("Step: batch").click()
    state_is(page, "s.batch === 1")
    button("▶ Play").click()
    state_is(page, "s.batch >= 3")
    button("❚❚ Pause").click()
    slow = state_at_rest(page, "s.batch >= 3")
    says_what_python_says(card, slow)
    button("↺ Restart").click()
    state_is(page, "s.epoch === 0 && s.batch === 0")
    says_what_python_says(card, {**slow, "epoch": 0, "batch": 0})
    card.get_by_role("radio", name="fast").check()
    button("▶ Play").click()
    state_is(page, "s.epoch > 100")
    # A changed setting starts anew and goes on playing.
    card.get_by_label("activation").select_option("tanh")
    state_is(page, "s.activation === 'tanh' && s.epoch > 10")
    button("Reset all").click()
    assert state_is(page, "s.activation === 'relu'") == Playground(prediction="almost perfect").state
    assert page.console_errors == []
    assert page.external_requests == []


#: Field, role and name of its control, what is done, condition on the state afterwards.
CONTROLS = [
    ("dataset", "combobox", "data", "spirals", "s.dataset === 'spirals'"),
    ("noise", "slider", "noise", "ArrowRight", "s.noise === 0.05"),
    ("n_points", "slider", "points", "ArrowLeft", "s.n_points === 280"),
    ("train_share", "slider", "train share", "ArrowRight", "s.train_share === 0.6"),
    ("data_seed", "spinbutton", "seed of the data", "17", "s.data_seed === 17"),
    ("show_test", "checkbox", "show test points", " ", "s.show_test === false"),
    ("activation", "combobox", "activation", "leaky ReLU", "s.activation === 'leaky_relu'"),
    ("seed", "spinbutton", "seed of the weights", "4", "s.seed === 4"),
    ("optimiser", "combobox", "optimiser", "Adam", "s.optimiser === 'adam'"),
    ("learning_rate", "slider", "learning rate", "ArrowLeft", "s.learning_rate === 0.01"),
    ("batch_size", "slider", "batch size", "ArrowRight", "s.batch_size === 20"),
    ("loss", "combobox", "loss", "squared error", "s.loss === 'mse'"),
    ("l1", "slider", "penalty L1", "ArrowRight", "s.l1 === 0.0001"),
    ("l2", "slider", "penalty L2", "ArrowRight", "s.l2 === 0.0001"),
]


def test_every_setting_reaches_the_network(browser_page):
    page = browser_page
    card = open_page(page, prediction="skipped", epoch=2)
    for _, role, name, action, condition in CONTROLS:
        control = card.get_by_role(role, name=name, exact=True)
        if role == "combobox":
            control.select_option(action)
        else:
            control.focus()
            if role == "spinbutton":
                page.keyboard.press("Control+a")
            page.keyboard.type(action) if len(action) < 3 else page.keyboard.press(action)
        state_is(page, condition)
    # All of them but one restart the training.
    assert state_is(page, "true")["epoch"] == 0
    card.get_by_role("button", name="next seed of the data").click()
    card.get_by_role("button", name="next seed of the weights").click()
    card.get_by_role("button", name="add a hidden layer").click()
    card.get_by_role("button", name="more nodes in layer 2").click()
    card.get_by_role("button", name="fewer nodes in layer 1").click()
    card.get_by_role("button", name="input sin x").click()
    card.get_by_role("button", name="input x", exact=True).click()
    state = state_is(page, "s.data_seed === 18 && s.seed === 5 && s.features.join() === 'y,sin_x'")
    assert state["layers"] == [3, 5]
    card.get_by_role("button", name="Step: epoch").click()
    says_what_python_says(card, state_is(page, "s.epoch === 1"))
    # The number of a weight under the pointer, that of a node by focus.
    card.get_by_role("button", name="node 2 of layer 1").hover()
    expect(card.locator(".pg-formula")).to_contain_text("node 2 of layer 1 = leaky ReLU(")
    network = card.locator(".pg-area canvas")
    first, second = (card.get_by_role("button", name=f"node 1 of layer {layer}").bounding_box() for layer in (1, 2))
    page.mouse.move((first["x"] + second["x"]) / 2 + 18, (first["y"] + second["y"]) / 2 + 18)
    weight = playground.run(state, epochs=1).weights[1][1, 0]
    expect(card.locator(".pg-formula")).to_have_text(
        f"weight from node 1 of layer 1 to node 1 of layer 2: {_show(weight)}"
    )
    assert "hidden nodes 3, 5" in network.get_attribute("aria-label")
    card.get_by_role("button", name="remove the last hidden layer").click()
    state_is(page, "s.layers.length === 1")
    assert page.console_errors == []


def _show(value):
    from course_lib.explorables.base import written

    return written(value)


def test_examples_rival_code_and_pasted_states(browser_page):
    page = browser_page
    card = open_page(page, prediction="skipped")
    card.get_by_label("examples").select_option("✗ Only lines")
    expect(card.get_by_text("Without a hidden layer the border is one straight line")).to_be_visible()
    # Two networks with the same seed.
    card.get_by_role("button", name="Pin as A").click()
    expect(card.get_by_text("A and B are equal so far")).to_be_visible()
    card.get_by_role("button", name="input xy").click()
    expect(card.get_by_text("A: features x, y. B: features x, y, xy.")).to_be_visible()
    card.get_by_role("button", name="Step: epoch").click()
    state = state_is(page, "s.pinned && s.epoch === 1")
    says_what_python_says(card, state)
    # The program and the state, both live.
    card.get_by_text("Show as Keras code").click()
    expect(card.locator("pre")).to_have_text(playground.keras_code(state))
    card.get_by_text("State as JSON").click()
    box = card.get_by_label("state as JSON")
    page.wait_for_function("() => document.querySelector('textarea').value !== ''")
    assert json.loads(box.input_value()) == state
    load = card.get_by_role("button", name="Load")
    box.fill('{"layers": [9]}')
    load.click()
    expect(card.get_by_text("layers must be a list of at most 6 layers")).to_be_visible()
    assert state_is(page, "true") == state
    # Far away: the browser computes its way there.
    pasted = Playground(dataset="circles", layers=[3], seed=8, epoch=150, prediction="skipped").state
    box.fill(json.dumps(pasted))
    load.click()
    assert state_is(page, "s.epoch === 150") == pasted
    says_what_python_says(card, pasted)
    assert page.console_errors == []


def test_a_lesson_may_hide_controls_and_calm_readers_get_few_pictures(browser_page):
    page = browser_page
    page.emulate_media(reduced_motion="reduce")
    hidden = ["l1", "l2", "json", "code", "layers", "compare", "optimiser", "learning_rate", "batch_size", "loss"]
    card = open_page(page, prediction="skipped", hidden=hidden)
    for label in ("penalty L1", "penalty L2", "optimiser", "loss"):
        expect(card.get_by_label(label, exact=True)).to_be_hidden()
    expect(card.get_by_text("Training", exact=True)).to_be_hidden()
    expect(card.get_by_role("button", name="more nodes in layer 1")).to_be_hidden()
    expect(card.get_by_label("activation")).to_be_visible()
    card.get_by_role("button", name="▶ Play").click()
    state_is(page, "s.epoch > 20")
    card.get_by_role("button", name="❚❚ Pause").click()
    assert page.console_errors == []


def tab_to(page, name):
    """Press Tab until the element with this text or label has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const n = document.activeElement;"
            " return [n.getAttribute('aria-label'), n.textContent.trim(), n.labels?.[0]?.textContent]; }"
        )
        if name in focused:
            return
    pytest.fail(f"{name!r} cannot be reached with the Tab key")


def test_the_keyboard_alone_is_enough_and_axe_finds_nothing_serious(browser_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser_page
    for dark in (False, True):
        card = open_page(page, dark=dark)
        tab_to(page, "partly right")
        page.keyboard.press("Enter")
        tab_to(page, "add a hidden layer")
        page.keyboard.press("Enter")
        state_is(page, "s.layers.length === 2")
        # The arrow keys walk through the nodes; an input is switched by Space.
        tab_to(page, "input x")
        for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
            page.keyboard.press(key)
        expect(card.locator(".pg-formula")).to_contain_text("node 2 of layer 2 = ReLU(")
        for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "Space"):
            page.keyboard.press(key)
        assert len(state_is(page, "s.features.length !== 2")["features"]) in (1, 3)
        page.keyboard.press("Shift+Tab")
        tab_to(page, "activation")
        page.keyboard.press("ArrowDown")
        state_is(page, "s.activation === 'leaky_relu'")
        tab_to(page, "learning rate")
        page.keyboard.press("ArrowRight")
        state_is(page, "s.learning_rate === 0.1")
        card.get_by_text("Show as Keras code").click()
        card.get_by_text("State as JSON").click()
        found = axe.run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"][:90]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert serious == []
    assert page.console_errors == []


FRAMES = """async () => {
    const intervals = [], drawing = [], card = document.querySelector('.course-explorable');
    let last = await new Promise(requestAnimationFrame);
    for (let index = 0; index < 60; index++) {
        const now = await new Promise(requestAnimationFrame);
        intervals.push(now - last);
        drawing.push(Number(card.dataset.frameMs));
        last = now;
    }
    const median = (values) => values.sort((one, other) => one - other)[30];
    return [median(intervals), median(drawing)];
}"""


def test_it_learns_while_the_kernel_is_busy(jupyter_lab, browser_page):
    page = browser_page
    card = show(jupyter_lab, page, Playground)
    card.get_by_role("button", name="Skip").click()
    # A kernel that computes for as long as the test likes.
    page.evaluate(
        "() => { const { shell } = window.jupyterapp;"
        " shell.currentWidget.content.widgets[1].model.sharedModel.setSource('import time\\ntime.sleep(600)');"
        " shell.currentWidget.content.activeCellIndex = 1;"
        " window.jupyterapp.commands.execute('notebook:run-cell'); }"
    )
    # Its status would not tell: the messages of widgets make it idle for a moment.
    prompt = page.locator(".jp-Cell").nth(1).locator(".jp-InputPrompt")
    expect(prompt).to_have_text("[*]:", timeout=WAIT_MS)
    card.get_by_role("button", name="add a hidden layer").click()
    card.get_by_role("button", name="▶ Play").click()
    page.wait_for_function("() => Number(document.querySelector('.pg-net').dataset.epoch) > 30", timeout=WAIT_MS)
    interval, drawing = page.evaluate(FRAMES)
    print(f"\nplayground with a busy kernel: a frame every {interval:.1f} ms, of which drawing {drawing:.1f} ms")
    card.get_by_role("button", name="❚❚ Pause").click()
    expect(prompt).to_have_text("[*]:")
    # When the kernel is free again, it has the state, and its twin has the numbers.
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource("
        "'import json\\nprint(json.dumps(explorable.state))')"
    )
    expect(prompt).not_to_have_text("[*]:", timeout=WAIT_MS)
    epoch = int(page.evaluate("() => document.querySelector('.pg-chips strong').textContent"))
    says_what_python_says(card, state_in_python(jupyter_lab, page, epoch=epoch, layers=[4, 4]))
    # High enough that the whole card is on the picture.
    page.set_viewport_size({"width": 1280, "height": 1700})
    card.evaluate("node => node.scrollIntoView({ block: 'center' })")
    look(page, card, "playground")
    assert page.external_requests == []
    assert [text for text in page.console_errors if "KeyboardInterrupt" not in text] == []
