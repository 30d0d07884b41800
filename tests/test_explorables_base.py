"""What holds for every explorable: a checked state, a small script, one truth in two languages, a static twin."""

import json
import re
import subprocess
import sys

import javascript
import pytest

from course_lib import explorables
from course_lib.explorables import base
from course_lib.explorables.kernel_backed import KernelBacked

#: Those that compute in the browser; test_kernel_backed.py looks at the others.
CLASSES = [getattr(explorables, name) for name in explorables.__all__]
CLASSES = [explorable for explorable in CLASSES if not issubclass(explorable, KernelBacked)]
PLOTLY_MIME_TYPE = "application/vnd.plotly.v1+json"
every_explorable = pytest.mark.parametrize("explorable", CLASSES, ids=lambda explorable: explorable.__name__)


@pytest.fixture
def displayed(monkeypatch):
    """Everything that is handed to IPython's display, in order."""
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: shown.extend(things))
    return shown


def test_listing_the_explorables_loads_none_of_them():
    program = (
        "import sys, course_lib.explorables as e; assert 'FilterWalker' in dir(e);"
        "print([n for n in ('plotly', 'anywidget', 'tensorflow', 'keras', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="NoSuchExplorable"):
        _ = explorables.NoSuchExplorable


@every_explorable
def test_every_field_is_documented_and_its_default_is_allowed(explorable):
    for name, field in explorable.fields.items():
        # `prediction` belongs to all of them and is documented once, in the base class.
        documented = re.search(rf"^\s+(?:\w+, )*{name}(?:, \w+)* : ", explorable.__doc__, re.MULTILINE)
        assert documented or name == "prediction", name
        assert field.meaning
        assert field.check(field.default) == field.default
        for sample in field.samples:
            assert field.check(sample) == sample


@every_explorable
def test_the_state_goes_through_json_unchanged(explorable):
    state = explorable().state
    assert json.loads(json.dumps(state)) == state
    assert explorable(**json.loads(json.dumps(state))).state == state
    assert set(state) == set(explorable.fields)


@every_explorable
def test_an_unknown_field_is_named_together_with_the_known_ones(explorable):
    with pytest.raises(ValueError, match=f"{explorable.__name__} has no field 'colour': it has .*prediction"):
        explorable(colour="red")


@every_explorable
def test_the_script_is_small_and_self_contained(explorable):
    script = explorable.script()
    assert len(script.encode()) <= explorable.maximum_script_bytes
    assert not re.search(r"^\s*import\b|\bimport\s*\(|\beval\s*\(|new Function|https?:|\bfetch\s*\(", script, re.M)


@every_explorable
def test_both_languages_reconcile_and_say_the_same(explorable):
    # Not yet reconciled: extreme values of the fields contradict each other.
    states = javascript.random_states(explorable, 80, seed=2)
    reconciled = javascript.call(explorable, [("default.reconcile", state) for state in states])
    sentences = javascript.call(explorable, [("default.summary", state) for state in reconciled])
    for state, theirs, sentence in zip(states, reconciled, sentences, strict=True):
        ours = explorable(**state)
        assert theirs == ours.state
        assert sentence == ours.summary()


@every_explorable
def test_the_summary_is_one_sentence(explorable):
    sentence = explorable(prediction="skipped").summary()
    assert sentence.endswith(".")
    assert not re.search(r"[.!?]\s+[A-Z]", sentence)


@every_explorable
def test_without_a_front_end_only_a_labelled_figure_is_shown(explorable, displayed, monkeypatch):
    monkeypatch.setenv("COURSE_FRONT_END", "0")
    monkeypatch.setattr(base, "_view_class", lambda: pytest.fail("a widget was made"))
    explorable()._ipython_display_()
    (bundle,) = displayed
    figure = bundle[PLOTLY_MIME_TYPE]
    layout = figure["layout"]
    assert layout["title"]["text"]
    axes = [axis for name, axis in layout.items() if name.startswith(("xaxis", "yaxis"))]
    assert any(axis.get("title", {}).get("text") for axis in axes)
    # The figure is stored in every saved notebook.
    assert len(json.dumps(figure)) < 60_000
    # The website makes it live again from these.
    live = bundle[base.WEBSITE_MIME_TYPE]
    assert getattr(explorables, live["class"])(**live["state"]).summary() == live["summary"]


@every_explorable
def test_with_a_front_end_the_figure_follows_the_live_view(explorable, displayed, monkeypatch):
    monkeypatch.setenv("COURSE_FRONT_END", "1")
    shown = explorable()
    shown._ipython_display_()
    view, bundle = displayed
    try:
        assert view.state == shown.state
        assert bundle[PLOTLY_MIME_TYPE]["layout"]["title"]["text"]
        assert ".course-explorable" in view._css
        # What the browser sends arrives, and what Python sets is sent.
        view.state = {**view.state, "prediction": "skipped"}
        assert shown.state["prediction"] == "skipped"
        shown.state = {"prediction": None}
        assert view.state["prediction"] is None
        # A page that sends nonsense gets the last good state back.
        view.state = {**view.state, "nonsense": 1}
        assert view.state == shown.state
        assert "nonsense" not in shown.state
    finally:
        view.close()


def test_two_views_of_one_explorable_move_together(displayed, monkeypatch):
    monkeypatch.setenv("COURSE_FRONT_END", "1")
    shown = explorables.PixelArithmetic()
    shown._ipython_display_()
    shown._ipython_display_()
    first, _, second, _ = displayed
    first.state = {**first.state, "bias": 4.0}
    assert second.state["bias"] == 4.0
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("field", "bad", "rule"),
    [
        (base.integer(3, 1, 7, "x"), 8, "from 1 to 7"),
        (base.integer(3, 1, 7, "x"), True, "from 1 to 7"),
        (base.integer(3, 1, 7, "x"), "3", "from 1 to 7"),
        (base.integer(3, 1, 7, "x"), None, "from 1 to 7"),
        (base.number(0, -1, 1, "x"), float("nan"), "from -1 to 1"),
        (base.choice(1, [1, 3], "x"), 2, "1, 3"),
        (base.choice(1, [1, 3], "x"), True, "1, 3"),
        (base.choice(1, [1, 3], "x"), [1], "1, 3"),
        (base.flag(False, "x"), 1, "True or False"),
        (base.numbers([[0]], "x", dimensions=2), [[1, 2], [3]], "2 dimensions"),
        (base.numbers([[0]], "x", dimensions=2), [["a"]], "2 dimensions"),
        (base.numbers([[0]], "x", shape=(1, 1)), [[1, 2]], r"\(1, 1\), not \(1, 2\)"),
        (base.numbers([[0]], "x", dimensions=2), [[float("inf")]], "finite"),
        (base.numbers([[0]], "x", dimensions=2, high=5), [[6]], "to 5"),
        (base.PREDICTION, ["3 × 3"], "guess"),
    ],
)
def test_a_field_refuses_what_breaks_its_rule(field, bad, rule):
    with pytest.raises(ValueError, match=rule):
        field.check(bad)


def test_a_bad_value_names_explorable_field_rule_and_value():
    with pytest.raises(ValueError, match=r"PixelArithmetic: bias must be a number from -30 to 30; seen: 99"):
        explorables.PixelArithmetic(bias=99)


def test_a_refused_assignment_changes_nothing():
    shown = explorables.PixelArithmetic()
    before = shown.state
    with pytest.raises(ValueError, match="bias"):
        shown.state = {"flip": True, "bias": 99}
    assert shown.state == before
    with pytest.raises(ValueError, match="must be a dict"):
        shown.state = [1]


def test_only_the_playground_may_be_larger_than_the_others():
    # It is a network that trains, not a figure; its limit is its own.
    larger = {kind.__name__: kind.maximum_script_bytes for kind in CLASSES}
    larger = {name: limit for name, limit in larger.items() if limit != base.MAXIMUM_SCRIPT_BYTES}
    assert larger == {"Playground": 80_000}


def test_a_script_that_is_too_large_is_refused(monkeypatch):
    class Heavy(explorables.PixelArithmetic):
        @classmethod
        def constants(cls):
            return {**super().constants(), "ballast": "x" * base.MAXIMUM_SCRIPT_BYTES}

    with pytest.raises(ValueError, match=r"the script of Heavy has \d+ bytes"):
        Heavy.script()


def test_numbers_are_written_alike_in_both_languages():
    values = [0, -0.0, 1, -1, 0.005, -0.005, 0.125, 1 / 3, -2 / 3, 2.675, 1e5, -123456.789, 0.1 + 0.2]
    theirs = javascript.call(explorables.PixelArithmetic, [("show", value) for value in values])
    assert [base.written(value) for value in values] == theirs


def test_colour_maps_equal_those_of_the_course():
    import plotly.colors

    from course_lib import style

    places = [0, 0.1, 0.25, 0.4, 0.5, 0.77, 1]
    calls = [("colourAt", name, place) for name in ("DIVERGING", "INTENSITY") for place in places]
    theirs = javascript.call(explorables.PixelArithmetic, calls)
    scales = [style.DIVERGING, plotly.colors.get_colorscale(style.INTENSITY)]
    for colour, (scale, place) in zip(theirs, [(s, p) for s in scales for p in places], strict=True):
        expected = plotly.colors.sample_colorscale(scale, [round(place * 255) / 255], colortype="tuple")[0]
        found = [int(part) for part in re.findall(r"\d+", colour)]
        assert found == pytest.approx([255 * part for part in expected], abs=1.01)
