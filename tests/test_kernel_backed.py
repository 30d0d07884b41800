"""The line between a view and the kernel, and what holds for every viewer of a network."""

import functools
import json
import re
import struct

import javascript
import keras
import numpy as np
import pytest
from test_chapters import unlabelled_axes
from test_introspection_attribution import convolutional, images

from course_lib import explorables
from course_lib.explorables import base, kernel_backed
from course_lib.explorables.kernel_backed import KernelBacked, packed

N_INPUTS = 14

#: Class -> how to make one, with the small network of the attribution tests.
MAKERS = {
    explorables.FilterViewer: lambda **opening: explorables.FilterViewer(network()[0], **opening),
    explorables.ActivationViewer: lambda **opening: explorables.ActivationViewer(*network(), **opening),
    explorables.MaximizationViewer: lambda **opening: explorables.MaximizationViewer(*network()[:2], **opening),
    explorables.AttributionViewer: lambda **opening: explorables.AttributionViewer(*network(), **opening),
    explorables.ConfusionExplorer: lambda **opening: explorables.ConfusionExplorer(*network(), **opening),
    explorables.EmbeddingViewer: lambda **opening: explorables.EmbeddingViewer(*network(), **opening),
}
every_viewer = pytest.mark.parametrize("viewer_class", MAKERS, ids=lambda viewer_class: viewer_class.__name__)


@functools.cache
def network():
    # One for all tests: what is compiled for it once serves them all, and no test changes it.
    return convolutional(), images(n=N_INPUTS), np.arange(N_INPUTS) % 3


class Recorder:
    """Stands for a live view: keeps what is sent to it."""

    def __init__(self):
        self.sent = []
        self.state = None

    def send(self, message, buffers=()):
        json.dumps(message, allow_nan=False)
        self.sent.append((message, list(buffers)))


def request(viewer, state, identity="a"):
    """Send one request and return the message and the arrays that come back."""
    view = Recorder()
    viewer._take_request(view, {"id": identity, "state": state}, [])
    assert len(view.sent) == 1
    return view.sent[0]


class Counter(KernelBacked):
    """Counts to the wished number, one step an answer, by a class that needs no network."""

    name = "counter"

    def __init__(self, **opening):
        self.reached = 0
        super().__init__({"goal": base.integer(3, 0, 9, "number"), "trouble": base.flag(False, "raise")}, opening)

    def answer(self):
        if self._state["trouble"]:
            raise self.trouble
        self.reached = min(self.reached + 1, self._state["goal"])
        done = self.reached == self._state["goal"]
        return {"reached": self.reached, "more": not done, "summary": f"Counted to {self.reached}."}


def test_arrays_travel_as_little_endian_float32():
    content, arrays = packed({"a": np.array([[1.5, -2.0]]), "b": [np.int64(3), {"c": np.arange(2)}], "d": float("nan")})
    assert content == {"a": {"array": 0, "shape": [1, 2]}, "b": [3, {"c": {"array": 1, "shape": [2]}}], "d": None}
    assert struct.unpack("<2f", arrays[0]) == (1.5, -2.0)
    assert struct.unpack("<2f", arrays[1]) == (0, 1)


def test_one_request_is_in_flight_and_the_newest_waits():
    """Five movements of a slider while the kernel computes: it sees the first and the last."""

    def step(name, line, argument):
        return javascript.call(explorables.FilterViewer, [(name, line, argument)])[0]

    line = {"flying": None, "waiting": None}
    for number in range(5):
        line = step("ask", line, {"id": f"r{number}", "state": number})
    assert line["flying"]["id"] == "r0"
    assert line["waiting"]["id"] == "r4"
    # What was answered to somebody else moves nothing.
    assert step("answered", line, "another") == line
    line = step("answered", line, "r0")
    assert line["flying"]["id"] == "r4" and line["waiting"] is None
    line = step("answered", line, "r4")
    assert line == {"flying": None, "waiting": None}


def test_a_request_changes_the_state_and_is_answered_under_its_name():
    counter = Counter()
    message, arrays = request(counter, {"goal": 1}, identity="x7")
    assert message == {
        "id": "x7",
        "state": {"goal": 1, "trouble": False, "prediction": None},
        "content": {"reached": 1, "more": False, "summary": "Counted to 1."},
    }
    assert arrays == [] and counter.state["goal"] == 1


def test_unfinished_answers_are_asked_for_again_until_complete():
    counter = Counter(goal=4)
    reached = [request(counter, {})[0]["content"]["reached"] for _ in range(2)]
    assert reached == [1, 2]
    assert counter.summary() == "Counted to 4."


def test_other_views_follow_the_one_that_asked():
    counter, asking, other = Counter(), Recorder(), Recorder()
    counter._views = [asking, other]
    counter._take_request(asking, {"id": "a", "state": {"goal": 7}}, [])
    assert other.state["goal"] == 7 and other.sent == []
    # What Python sets goes to both; they ask for the new picture themselves.
    counter.state = {"goal": 2}
    assert asking.state["goal"] == other.state["goal"] == 2


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"goal": 99}, "Counter: goal must be a whole number from 0 to 9; seen: 99."),
        ({"colour": 1}, "Counter has no field 'colour'"),
        ("nonsense", None),
    ],
)
def test_a_bad_request_is_refused_in_words_and_changes_nothing(state, words):
    counter = Counter(goal=5)
    message, _ = request(counter, state)
    assert message["id"] == "a" and "content" not in message
    assert words is None or words in message["error"]
    assert counter.state["goal"] == 5
    assert request(counter, {"goal": 6})[0]["state"]["goal"] == 6


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(RuntimeError("out of memory"), "out of memory"), (KeyError(), "KeyError"), (KeyboardInterrupt(), "interrupted")],
)
def test_what_goes_wrong_is_told_in_the_view_which_stays_usable(trouble, words):
    counter = Counter()
    counter.trouble = trouble
    assert request(counter, {"trouble": True})[0]["error"] == words
    assert request(counter, {"trouble": False})[0]["content"]["reached"] == 1


# --- every viewer ---------------------------------------------------------------------------------------


def test_all_kernel_backed_viewers_are_tested_here():
    listed = {getattr(explorables, name) for name in explorables.__all__}
    assert {one for one in listed if issubclass(one, KernelBacked)} == set(MAKERS)


@every_viewer
def test_the_script_is_small_and_self_contained(viewer_class):
    script = viewer_class.script()
    assert len(script.encode()) <= base.MAXIMUM_SCRIPT_BYTES
    assert not re.search(r"^\s*import\b|\bimport\s*\(|\beval\s*\(|new Function|https?:|\bfetch\s*\(", script, re.M)
    assert ".ce-kernel" in viewer_class.stylesheet() and ".ce-stage" in viewer_class.stylesheet()


@every_viewer
def test_every_field_is_documented_and_survives_json(viewer_class):
    viewer = MAKERS[viewer_class]()
    for name, field in viewer.fields.items():
        documented = re.search(rf"^\s+(?:\w+, )*{name}(?:, \w+)* : ", viewer_class.__doc__, re.MULTILINE)
        assert documented or name == "prediction", name
        assert field.meaning and field.check(field.default) == field.default
    state = viewer.state
    assert json.loads(json.dumps(state)) == state
    again = MAKERS[viewer_class](**json.loads(json.dumps(state)))
    assert again.state == state
    json.dumps(viewer.setup(), allow_nan=False)


@every_viewer
def test_the_summary_is_one_sentence_and_the_answer_can_be_sent(viewer_class):
    viewer = MAKERS[viewer_class]()
    sentence = viewer.summary()
    assert sentence.endswith(".") and not re.search(r"[.!?]\s+[A-Z]", sentence)
    message, _ = request(viewer, {})
    assert message["content"]["summary"] == sentence


@every_viewer
def test_without_a_front_end_only_a_labelled_figure_is_left(viewer_class, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: shown.extend(things))
    monkeypatch.setenv("COURSE_FRONT_END", "0")
    monkeypatch.setattr(kernel_backed, "_kernel_view_class", lambda: pytest.fail("a widget was made"))
    MAKERS[viewer_class]()._ipython_display_()
    # Nothing in it asks a page without a kernel to make it live.
    assert [list(bundle) for bundle in shown] == [["application/vnd.plotly.v1+json"]]
    figure = shown[0]["application/vnd.plotly.v1+json"]
    assert unlabelled_axes(figure) == []
    assert figure["layout"]["title"]["text"]
    assert len(json.dumps(figure, default=str)) < 60_000


@every_viewer
def test_with_a_front_end_the_figure_follows_a_live_view(viewer_class, monkeypatch):
    shown, answers = [], []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: shown.extend(things))
    monkeypatch.setenv("COURSE_FRONT_END", "1")
    viewer = MAKERS[viewer_class]()
    viewer._ipython_display_()
    view, _ = shown
    try:
        assert view.state == viewer.state and view.setup == viewer.setup()
        monkeypatch.setattr(view, "send", lambda message, buffers=(): answers.append(message))
        # As a message of the browser arrives: through the handlers of the widget.
        view._handle_custom_msg({"id": "1", "state": viewer.state}, [])
        assert answers[0]["id"] == "1" and "content" in answers[0]
    finally:
        view.close()


@every_viewer
def test_an_unknown_field_is_named_together_with_the_known_ones(viewer_class):
    with pytest.raises(ValueError, match=f"{viewer_class.__name__} has no field 'colour': it has .*prediction"):
        MAKERS[viewer_class](colour="red")


@every_viewer
def test_the_model_and_the_inputs_stay_as_they_are(viewer_class):
    viewer = MAKERS[viewer_class]()
    before = [weight.copy() for weight in viewer.model.get_weights()]
    inputs = getattr(viewer, "inputs", np.zeros(1)).copy()
    viewer.complete_answer()
    for weight, expected in zip(viewer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
    np.testing.assert_array_equal(getattr(viewer, "inputs", np.zeros(1)), inputs)


class BrandNew(keras.Model):
    """Never called: has no layers built yet."""

    def __init__(self):
        super().__init__()
        self.maps = keras.layers.Conv2D(4, 3, activation="relu", name="maps")
        self.pooling = keras.layers.GlobalAveragePooling2D(name="pooling")
        self.classes = keras.layers.Dense(3, activation="softmax", name="classes")

    def call(self, values):
        return self.classes(self.pooling(self.maps(values)))


@every_viewer
@pytest.mark.parametrize("kind", ["functional", "subclassed", "table", "sequence"])
def test_every_kind_of_model_and_of_input_is_shown(viewer_class, kind):
    keras.utils.set_random_seed(3)
    layers = keras.layers
    if kind == "functional":
        start = layers.Input((9, 8, 3))
        maps = layers.Conv2D(4, 3, padding="same", activation="relu", name="maps")(start)
        added = layers.Add()([maps, layers.Conv2D(4, 1)(maps)])
        model = keras.Model(start, layers.Dense(3)(layers.GlobalAveragePooling2D()(added)))
        inputs = np.abs(images(n=N_INPUTS, shape=(9, 8, 3)))
    elif kind == "subclassed":
        model, inputs = BrandNew(), images(n=N_INPUTS, shape=(7, 8, 1))
        model(inputs[:1])
    elif kind == "table":
        model = keras.Sequential([layers.Input((5,)), layers.Dense(6, activation="relu"), layers.Dense(3)])
        inputs = images(n=N_INPUTS, shape=(5,))
    else:
        convolution = layers.Conv1D(4, 3, activation="relu")
        model = keras.Sequential(
            [layers.Input((20, 2)), convolution, layers.GlobalAveragePooling1D(), layers.Dense(3, activation="softmax")]
        )
        inputs = images(n=N_INPUTS, shape=(20, 2))
    if viewer_class is explorables.FilterViewer:
        if kind in {"table", "sequence"}:
            with pytest.raises(ValueError, match="needs a model with a Conv2D layer; this one has"):
                viewer_class(model)
            return
        viewer = viewer_class(model)
    elif viewer_class is explorables.MaximizationViewer:
        viewer = viewer_class(model, inputs, steps=2)
    else:
        viewer = viewer_class(model, inputs, np.arange(N_INPUTS) % 3, class_names=["up", "down", "strange"])
    content = viewer.complete_answer()
    packed(content)
    assert unlabelled_axes(viewer.static_figure().to_plotly_json()) == []
