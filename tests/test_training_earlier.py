"""Earlier trainings behind a new one: what is accepted, what is sent, what is drawn; and marks on the curves."""

import math
import shutil
from types import SimpleNamespace

import javascript
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_stage import Clock, fit, line_model, open_stage, received

from course_lib import style
from course_lib.training import LiveTraining, TrainingRecord, curves_figure, earlier_run, monitor, spread_figure
from course_lib.training.earlier import spread


@pytest.fixture
def notebook(monkeypatch):
    return open_stage(monkeypatch)


LOSSES = st.lists(st.floats(-1e3, 1e3) | st.just(math.nan), min_size=1, max_size=8)


@given(st.lists(LOSSES, min_size=2, max_size=6))
@settings(max_examples=40)
def test_spread_equals_that_of_numpy(curves):
    runs = [earlier_run(str(number), {"loss": losses}) for number, losses in enumerate(curves)]
    epochs, means, deviations = spread(runs, "loss")
    padded = np.full((len(curves), 8), np.nan)
    for row, losses in zip(padded, curves, strict=True):
        row[: len(losses)] = losses
    known = np.isfinite(padded).sum(axis=0) > 1
    assert epochs == list(np.flatnonzero(known) + 1)
    np.testing.assert_allclose(means, np.nanmean(padded[:, known], axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(deviations, np.nanstd(padded[:, known], axis=0, ddof=1), rtol=1e-6, atol=1e-6)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_browser_computes_the_same_spread():
    curves = [[1.0, 0.5, 0.25], [2.0, 0.75], [1.5, 0.1, 0.3, 0.2]]
    runs = [earlier_run(str(number), {"loss": losses}) for number, losses in enumerate(curves)]
    points = [{"x": list(range(1, len(losses) + 1)), "y": losses} for losses in curves]
    (found,) = javascript.call(SimpleNamespace(script=monitor.script), [("spread", points)])
    epochs, means, deviations = spread(runs, "loss")
    assert [point["x"] for point in found] == epochs
    np.testing.assert_allclose([point["mean"] for point in found], means)
    np.testing.assert_allclose([point["deviation"] for point in found], deviations)


def test_every_way_to_keep_a_training_is_accepted():
    live = LiveTraining()
    history = fit(live, line_model(metrics=["mae"]), validation_split=0.25, initial_epoch=1)
    for kept in (live, live.record, history, history.history):
        run = earlier_run("before", kept)
        assert run.history == history.history
        assert run.epoch_numbers == ([1, 2] if kept is history.history else [2, 3])
    late = earlier_run("late", {"loss": [3.0, 2.0, 1.0], "val_loss": [2.5]})
    assert late.points("val_loss") == ([3], [2.5]) and late.points("nothing") == ([], [])
    for wrong in (3.0, "history", {"loss": 3.0}):
        with pytest.raises(TypeError, match="the earlier training 'x' must be a history"):
            LiveTraining(earlier={"x": wrong})


def test_earlier_trainings_stand_behind_in_view_and_figure(notebook):
    live = LiveTraining(earlier={"no dropout": {"loss": [3.0, 2.0, 1.0, 0.5]}}, clock=Clock(step_s=0.05))
    fit(live)
    first = live.record
    fit(live)
    assert [run.name for run in live.earlier] == ["no dropout", "run 1"]
    curves = received(notebook.views[1])
    # In whole epochs: how many batches make one, the others did not tell.
    np.testing.assert_array_equal(curves[-1, "loss"], [[1, 2, 3, 4], [3, 2, 1, 0.5]])
    np.testing.assert_allclose(curves[-2, "loss"][1], first.history["loss"], rtol=1e-6)
    state = notebook.views[1].messages[-1][0]["state"]
    assert state["earlier"] == ["no dropout", "run 1"]
    traces = {trace.name: trace for trace in live.figure().data}
    assert list(traces["earlier: no dropout"].y) == [3.0, 2.0, 1.0, 0.5]
    assert traces["earlier: run 1"].line.color == style.PALETTE["reference"]
    assert list(traces["training"].y) == live.history["loss"]


def test_a_band_is_drawn_around_the_mean():
    runs = [earlier_run(f"seed {k}", {"loss": [4.0 + k, 1.0], "val_loss": [5.0, 2.0 + k]}) for k in range(3)]
    figure = spread_figure(runs, units={"loss": "eV^2"}, log_scale=True)
    shown = [trace for trace in figure.data if trace.showlegend]
    assert [list(trace.y) for trace in shown] == [[5.0, 1.0], [5.0, 3.0]]
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    np.testing.assert_allclose(bands[0].y, [6, 1, 1, 4])
    assert len(figure.data) == 2 * (3 + 1 + 1)
    assert figure.layout.yaxis.title.text == "loss / eV^2" and figure.layout.yaxis.type == "log"
    assert "val loss after epoch 2: 3 ± 1." in figure.layout.title.text
    with pytest.raises(ValueError, match="two trainings at least, not 1"):
        spread_figure(runs[:1])


# --- marks of the verdict ---------------------------------------------------------------------------------------


def recorded(losses, *, first_loss=None, outcome="finished"):
    record = TrainingRecord(epochs=len(losses))
    for epoch, loss in enumerate(losses):
        record.begin_epoch(epoch)
        for batch in range(4):
            record.add_batch(batch, loss if first_loss is None else first_loss)
        record.add_epoch(epoch, {"loss": loss})
    record.outcome = outcome
    return record


@pytest.mark.parametrize(
    ("losses", "kind", "batch", "shade", "line"),
    [
        ([1.0, 0.7, 3.0, 50.0], "diverging", 8, (2, 4), 2),
        ([0.693] * 6, "not learning", 0, (0, 6), 1),
        ([1.0, 0.5, math.nan], "not a number", 9, None, 2.25),
        ([1.0, 0.8, 0.65, 0.5], "still improving", 16, None, 4),
    ],
)
def test_each_finding_has_its_mark(losses, kind, batch, shade, line):
    record = recorded(losses)
    assert record.verdict.kind == kind and record.position_of(record.verdict) == batch
    layout = curves_figure(record).layout
    shades = [(shape.x0, shape.x1) for shape in layout.shapes if shape.type == "rect"]
    assert shades == ([shade] if shade else [])
    assert line in [shape.x0 for shape in layout.shapes if shape.type == "line"]
    assert any(kind in note.text for note in layout.annotations)


def test_keras_histories_of_other_runs_fit_in():
    history = keras.callbacks.History()
    history.history, history.epoch = {"loss": [1.0, 0.5]}, [0, 1]
    figure = curves_figure(recorded([1.0, 0.6]), earlier=[earlier_run("other", history)])
    assert figure.data[0].name == "earlier: other" and list(figure.data[0].x) == [1, 2]
