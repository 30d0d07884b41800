"""The live training monitor: what it records, when it sends, what it leaves."""

import asyncio
import itertools
import json
import math
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_stage import AtBatch, Clock, View, fit, line_data, line_model, n_threads, open_stage, received, until

from course_lib import style
from course_lib.training import LiveTraining, TrainingRecord, curves_figure, live_training, monitor, show, trainings
from course_lib.training.controls import Controls
from course_lib.training.figure import thinned
from course_lib.training.record import BATCH_LOSS

MAXIMUM_SCRIPT_BYTES = 30_000


@pytest.fixture
def notebook(monkeypatch):
    return open_stage(monkeypatch)


# --- record -----------------------------------------------------------------------------------------------------


def test_history_equals_that_of_keras():
    live = LiveTraining()
    history = fit(live, line_model(metrics=["mae"]), validation_split=0.25)
    assert set(live.history) == {"loss", "mae", "val_loss", "val_mae"}
    assert live.history == history.history


def test_history_of_several_outputs_equals_that_of_keras():
    inputs = keras.Input((3,))
    outputs = {
        "energy": keras.layers.Dense(1, name="energy")(inputs),
        "mass": keras.layers.Dense(1, name="mass")(inputs),
    }
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"energy": "mse", "mass": "mae"}, metrics={"energy": ["mae"], "mass": ["mse"]})
    x, y = line_data()
    live = LiveTraining()
    targets = {"energy": y, "mass": 2 * y}
    history = model.fit(x, targets, epochs=2, verbose=0, validation_split=0.25, callbacks=[live])
    assert live.history == history.history
    # The total, one loss an output, one metric an output; each has its panel.
    assert len(live.record.quantities) == 5
    assert live.record.quantities[0] == "loss"
    assert len(live.figure().data) == 10 + 1


def test_batch_losses_equal_those_computed_by_hand():
    x, y = line_data(n_samples=60)  # the last batch holds 12 instead of 16
    model = line_model(learning_rate=0.0)
    live = LiveTraining()
    model.fit(x, y, epochs=2, batch_size=20, shuffle=False, verbose=0, callbacks=[live])
    kernel, bias = model.get_weights()
    by_hand = [np.mean((x[start : start + 20] @ kernel + bias - y[start : start + 20]) ** 2) for start in (0, 20, 40)]
    np.testing.assert_allclose(live.record.batch_losses, by_hand * 2, rtol=1e-4)
    assert list(live.record.batch_numbers) == [1, 2, 3, 4, 5, 6]


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=60), st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_running_means_give_the_batches_back(losses, steps_per_execution):
    record = TrainingRecord()
    record.begin_epoch()
    expected = []
    for start in range(0, len(losses), steps_per_execution):
        chunk = losses[start : start + steps_per_execution]
        seen = start + len(chunk)
        record.add_batch(seen - 1, math.fsum(losses[:seen]) / seen)
        expected.append(math.fsum(chunk) / len(chunk))
    np.testing.assert_allclose(record.batch_losses, expected, rtol=1e-9, atol=1e-9)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=30))
def test_best_epoch_is_the_smallest_finite_validation_loss(losses):
    record = TrainingRecord()
    for epoch, loss in enumerate(losses):
        record.add_epoch(epoch, {"loss": 1.0, "val_loss": loss})
    finite = [loss for loss in losses if math.isfinite(loss)]
    if finite:
        assert losses[record.best_epoch - 1] == min(finite)
        assert min(finite) not in losses[: record.best_epoch - 1]  # the first of equals
    else:
        assert record.best_epoch is None
    assert record.summary()


def test_generator_without_known_length_learns_its_steps():
    x, y = line_data()

    def batches():
        while True:
            yield x[:8], y[:8]

    live = LiveTraining()
    line_model().fit(batches(), steps_per_epoch=5, epochs=2, verbose=0, callbacks=[live])
    assert live.record.steps == 5 and live.record.epoch_ends == [5, 10]

    dataset = ((x[:8], y[:8]) for _ in range(7))
    line_model().fit(dataset, epochs=1, verbose=0, callbacks=[live])
    assert live.record.steps == 7 and live.record.epoch_ends == [7]


def test_initial_epoch_keeps_its_number():
    live = LiveTraining()
    fit(live, epochs=7, initial_epoch=5)
    assert live.record.epoch_numbers == [6, 7]
    positions = live.figure().data[0].x
    assert min(positions) > 5 and max(positions) == 7


@pytest.mark.parametrize(
    "options", [{}, {"validation_split": 0.25}, {"batch_size": 64}, {"batch_size": 64, "epochs": 1}, {"epochs": 1}]
)
def test_all_sizes_of_training_leave_a_figure(options):
    live = LiveTraining()
    history = fit(live, **options)
    assert live.history == history.history
    assert len(live.figure().data) == len(history.history) + 1


def test_measures_of_physics_are_curves_of_their_own():
    seen = []

    def bias_of(model):
        seen.append(float(model.get_weights()[1][0]))
        return seen[-1]

    live = LiveTraining(measures={"val_bias": bias_of}, units={"bias": "EeV"})
    history = fit(live)
    assert live.history["val_bias"] == seen and len(seen) == 3
    assert live.history == history.history  # Keras knows them too
    figure = live.figure()
    assert "bias / EeV" in {figure.layout[axis].title.text for axis in figure.layout if axis.startswith("yaxis")}
    with pytest.raises(TypeError, match="must be a function of the model"):
        LiveTraining(measures={"bias": 3.0})


# --- figure -----------------------------------------------------------------------------------------------------


def test_figure_has_a_trace_for_each_curve_and_titles_on_every_axis():
    record = TrainingRecord(title="energy", units={"mae": "eV"})
    for epoch in range(4):
        logs = {"loss": 1.0, "mae": 2.0, "val_loss": 3.0, "val_mae": 4.0, "learning_rate": 0.1}
        record.add_epoch(epoch, {name: value / (epoch + 1) for name, value in logs.items()})
    figure = curves_figure(record)
    drawn = sorted(tuple(trace.y) for trace in figure.data)
    assert drawn == sorted(tuple(values) for values in record.history.values())
    axes = [axis for axis in figure.layout if axis.startswith(("xaxis", "yaxis"))]
    assert len(axes) == 6
    assert {figure.layout[axis].title.text for axis in axes if axis.startswith("x")} == {"epoch"}
    assert {figure.layout[axis].title.text for axis in axes if axis.startswith("y")} == {
        "loss",
        "mae / eV",
        "learning rate",
    }
    assert figure.layout.template.layout.colorway == tuple(style.SEQUENCE)
    for trace in figure.data:
        assert trace.line.color == style.PALETTE[trace.name]
        assert trace.line.dash == style.DASHES[trace.name]
    assert "best: epoch 4" in {note.text for note in figure.layout.annotations}
    log_figure = curves_figure(record, log_scale=True)
    assert {log_figure.layout[axis].type for axis in axes if axis.startswith("y")} == {"log"}


def test_figure_of_nothing_still_has_axes():
    figure = curves_figure(TrainingRecord())
    assert figure.layout.xaxis.title.text == "epoch" and figure.layout.yaxis.title.text == "loss"


def test_figure_of_a_long_training_stays_small():
    record = TrainingRecord(epochs=5, steps=20_000)
    generator = np.random.default_rng(2)
    for epoch in range(5):
        record.begin_epoch()
        for batch in range(20_000):
            record.add_batch(batch, generator.random())
        record.add_epoch(epoch, {"loss": 0.5})
    assert len(curves_figure(record).to_json()) < 60_000


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(2, 50))
@settings(deadline=None, max_examples=60)
def test_thinned_curves_keep_their_extremes(values, most):
    positions, kept = thinned(range(len(values)), values, most)
    assert len(kept) <= most
    assert kept.max() == max(values) and kept.min() == min(values)
    assert np.all(np.diff(positions) > 0)
    assert [values[int(position)] for position in positions] == list(kept)


def test_thinned_curves_keep_what_is_not_a_number():
    values = np.zeros(1000)
    values[437] = np.nan
    assert np.isnan(thinned(np.arange(1000), values, 20)[1]).sum() == 1


# --- pace and payload -------------------------------------------------------------------------------------------


@given(st.lists(st.floats(1e-4, 0.4), min_size=50, max_size=300))
@settings(deadline=None, max_examples=40)
def test_never_more_than_ten_updates_in_a_second(waits_s):
    clock = Clock()
    pace = monitor.Pace(clock=clock, cost_clock=lambda: 0.0, rate=1000)
    updates = []
    for wait_s in waits_s:
        clock.now += wait_s
        if pace.due():
            with pace:
                updates.append(clock.now)
    assert all(later - earlier >= 0.1 - 1e-9 for earlier, later in itertools.pairwise(updates))


def test_expensive_updates_become_rare():
    clock, cost = Clock(), Clock()
    pace = monitor.Pace(clock=clock, cost_clock=cost, share=0.01)
    for _ in range(100_000):
        clock.now += 0.001
        if pace.due():
            with pace:
                cost.now += 0.005
    assert cost.now <= 0.0101 * clock.now
    assert cost.now >= 0.009 * clock.now  # and not rarer than needed


def test_a_thread_that_mostly_waits_gives_a_share_of_its_own_work():
    clock, cost, work = Clock(), Clock(), Clock()
    pace = monitor.Pace(clock=clock, cost_clock=cost, work_clock=work, share=0.01)
    for _ in range(100_000):
        clock.now += 0.001
        work.now += 0.0002
        if pace.due():
            with pace:
                cost.now += 0.001
    assert 0.009 * work.now <= cost.now <= 0.0101 * work.now


@pytest.mark.parametrize("rate", [0, -1])
def test_wrong_rate_is_reported_before_the_training(rate):
    with pytest.raises(ValueError, match="updates_per_second must be above 0"):
        LiveTraining(updates_per_second=rate)


def test_appended_messages_rebuild_the_curves():
    record = TrainingRecord(steps=50)
    view, clock = View(), Clock(step_s=0.01)
    live_view = monitor.Monitor([record], view, monitor.Pace(clock=clock, cost_clock=lambda: 0.0))
    generator = np.random.default_rng(8)
    means = generator.random(200).astype("float32")
    for epoch in range(4):
        record.begin_epoch()
        for batch in range(50):
            record.add_batch(batch, float(means[50 * epoch + batch]))
            if live_view.pace.due():
                live_view.update(dict)
        record.add_epoch(epoch, {"loss": float(means[50 * epoch]), "val_loss": 0.5 + epoch})
    live_view.update(dict)
    curves = received(view)
    np.testing.assert_array_equal(curves[BATCH_LOSS][0], np.arange(1, 201))
    np.testing.assert_array_equal(curves[BATCH_LOSS][1], np.asarray(record.batch_losses, dtype="f4"))
    np.testing.assert_array_equal(curves["loss"][0], [50, 100, 150, 200])
    np.testing.assert_array_equal(curves["loss"][1], np.asarray(record.history["loss"], dtype="f4"))
    np.testing.assert_array_equal(curves["val_loss"][1], [0.5, 1.5, 2.5, 3.5])
    n_complete = sum(message["complete"] for message, _ in view.messages)
    assert 2 <= n_complete < len(view.messages) / 2


def test_a_burst_of_batches_stays_a_small_message():
    record = TrainingRecord(steps=1_000_000)
    view = View()
    live_view = monitor.Monitor([record], view, monitor.Pace(clock=Clock(), cost_clock=lambda: 0.0))
    record.add_batch(0, 1.0)
    live_view.update(dict)
    for batch in range(1, 100_000):
        record.add_batch(batch, 1.0)
    live_view.update(dict)
    assert len(view.messages[-1][1][0]) <= 8 * monitor.MOST_NEW_POINTS


def test_script_is_small_and_needs_nothing_from_elsewhere():
    script = monitor.script()
    assert len(script.encode()) < MAXIMUM_SCRIPT_BYTES
    for forbidden in ("import ", "import(", "://", "eval(", "innerHTML"):
        assert forbidden not in script, forbidden
    assert style.PALETTE["validation"] in monitor.stylesheet()


def test_importing_the_package_loads_neither_keras_nor_plotly():
    code = (
        "import sys, course_lib.training as t; t.TrainingRecord();"
        "print([m for m in ('keras', 'tensorflow', 'plotly', 'anywidget', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- life of the view -------------------------------------------------------------------------------------------


def test_view_moves_during_fit_and_gives_way_to_a_figure(notebook):
    live = LiveTraining(title="signal", clock=Clock(step_s=0.05))
    history = fit(live, validation_split=0.25)
    (view,) = notebook.views
    assert view.closed and notebook.hooks == []
    assert len(view.messages) > 5
    states = [message["state"] for message, _ in view.messages]
    assert [state["epoch"] for state in states] == sorted(state["epoch"] for state in states)
    assert {"training", "validation"} == {state["phase"] for state in states}
    curves = received(view)
    n_sent = len(curves[BATCH_LOSS][1])
    np.testing.assert_array_equal(curves[BATCH_LOSS][1], np.asarray(live.record.batch_losses[:n_sent], dtype="f4"))
    (_, opened), (bundle, replaced) = notebook.shown
    assert replaced == {"raw": True, "display_id": opened["display_id"], "update": True}
    figure = bundle["application/vnd.plotly.v1+json"]
    assert len(figure["data"]) == len(history.history) + 1
    assert bundle["text/plain"].startswith("signal: Finished after 3 of 3 epochs. Best epoch")


def test_samples_a_second_are_those_of_the_clock(notebook):
    clock = Clock()
    live = LiveTraining(clock=clock)

    class HalfSecond(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            clock.now += 0.5

    fit(live, epochs=1, batch_size=16, callbacks=[HalfSecond()])
    rates = [message["state"]["samplesPerSecond"] for message, _ in notebook.views[0].messages]
    assert rates == [None, 32.0, 32.0, 32.0, 32.0]


def test_time_left_follows_the_epochs_after_the_first():
    clock = Clock()
    live = LiveTraining(clock=clock)

    left_s = {}

    class Pauses(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.now += 90.0 if epoch == 0 else 0.0  # building the graph

        def on_train_batch_end(self, batch, logs=None):
            clock.now += 2.5
            left_s[self.model.optimizer.iterations.numpy()] = live._show.lead.stopwatch.seconds_left()

    fit(live, epochs=4, callbacks=[Pauses()])  # four batches: 10 s an epoch
    assert left_s[10] == pytest.approx(15.0)  # in the middle of epoch 3 of 4
    assert left_s[16] == pytest.approx(0.0)
    assert left_s[3] == pytest.approx(13 * 2.5, rel=0.5)  # a first guess from batches alone


def test_without_front_end_only_lines_and_no_widget(monkeypatch, capsys):
    def no_view():
        raise AssertionError("a widget was made without a front end")

    monkeypatch.setattr(show, "view_class", no_view)
    fit(LiveTraining(title="quiet"), validation_split=0.25)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"quiet: epoch {number} of 3" for number in (1, 2, 3)]
    assert all("val loss" in line for line in lines)


def test_in_a_kernel_without_front_end_the_figure_is_left(notebook, monkeypatch, capsys):
    for module in (live_training, show, trainings):
        monkeypatch.setattr(module, "has_front_end", lambda: False)
    fit(LiveTraining())
    assert notebook.views == []
    ((bundle, options),) = notebook.shown
    assert options == {"raw": True} and "application/vnd.plotly.v1+json" in bundle
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_used_again_it_begins_anew(notebook):
    live = LiveTraining()
    fit(live, epochs=2)
    first = live.record
    history = fit(live, epochs=4)
    assert live.history == history.history and len(first.history["loss"]) == 2
    assert len(notebook.views) == 2 and all(view.closed for view in notebook.views)
    display_ids = {options["display_id"] for _, options in notebook.shown}
    assert len(display_ids) == 2 and notebook.hooks == []


@pytest.mark.parametrize(
    ("error", "outcome"), [(KeyboardInterrupt(), "interrupted"), (ValueError("bad event"), "stopped by ValueError")]
)
def test_what_ends_a_training_is_said_and_the_history_is_kept(notebook, error, outcome):
    live = LiveTraining()
    with pytest.raises(type(error)):
        fit(live, epochs=5, callbacks=[AtBatch(error, epoch=2, batch=1)])
    (after_cell,) = notebook.hooks
    after_cell(SimpleNamespace(error_in_exec=error))
    assert live.record.outcome == outcome
    assert len(live.history["loss"]) == 2 and len(live.record.batch_losses) == 2 * 4 + 2
    (view,) = notebook.views
    assert view.closed and notebook.hooks == []
    bundle, _ = notebook.shown[-1]
    assert f"{outcome} after 2 of 5 epochs".lower() in bundle["text/plain"].lower()
    fit(live, epochs=1)  # and the next training is not disturbed
    assert live.record.outcome == "finished"


def test_interrupted_in_the_first_epoch_the_batches_are_drawn(notebook):
    live = LiveTraining()
    with pytest.raises(KeyboardInterrupt):
        fit(live, callbacks=[AtBatch(KeyboardInterrupt(), epoch=0, batch=2)])
    notebook.hooks[0](SimpleNamespace(error_in_exec=KeyboardInterrupt()))
    (trace,) = live.figure().data
    np.testing.assert_allclose(trace.x, [0.25, 0.5, 0.75])


@pytest.mark.parametrize("stop_at_nan", [True, False])
def test_a_loss_that_is_not_a_number_is_reported(notebook, stop_at_nan):
    live = LiveTraining(stop_at_nan=stop_at_nan)
    history = fit(live, line_model(learning_rate=1e25), epochs=4)
    epoch, batch = live.record.first_bad_batch
    assert epoch == 1 and 2 <= batch <= 4
    assert len(live.history["loss"]) == (1 if stop_at_nan else 4)
    np.testing.assert_equal(live.history, history.history)
    assert f"not a finite number since epoch 1, batch {batch}" in notebook.shown[-1][0]["text/plain"]
    assert notebook.views[0].closed


def test_early_stopping_is_not_called_finished():
    live = LiveTraining()
    fit(live, epochs=50, callbacks=[keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1)])
    assert live.record.outcome == "stopped early"


# --- controls ---------------------------------------------------------------------------------------------------


def steer(notebook, live, model, requests, **options):
    """Run ``await live.fit``; `requests` is called with the view whenever a message was sent to it."""
    x, y = line_data()

    class SteeredView(View):
        def send(self, message, buffers):
            super().send(message, buffers)
            requests(self, message["state"])

    def make_view(setup):
        notebook.views.append(SteeredView(setup))
        return notebook.views[-1]

    show.view_class = lambda: make_view  # the fixture restores it
    slower = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.01))
    # Far more epochs than any script waits for: a busy machine sends few updates.
    options = {"epochs": 100_000, "batch_size": 16, "callbacks": [slower], **options}
    return asyncio.run(live.fit(model, x, y, **options))


def test_stop_keeps_weights_and_history(notebook):
    live, model = LiveTraining(), line_model()

    def stop_in_the_second_epoch(view, state):
        if state["epoch"] >= 2 and state["outcome"] == "running" and not live._controls.stopped:
            view.ask("stop")

    before = model.get_weights()
    history = steer(notebook, live, model, stop_in_the_second_epoch)
    assert live.record.outcome == "stopped by hand"
    assert 1 <= len(history.history["loss"]) < 100_000 and live.history == history.history
    assert not np.array_equal(before[0], model.get_weights()[0])
    assert notebook.views[0].closed and notebook.hooks == [] and n_threads() == 0
    assert "Stopped by hand after" in notebook.shown[-1][0]["text/plain"]


def test_learning_rate_and_single_steps_act_between_batches(notebook):
    live, model = LiveTraining(), line_model()
    rates, n_made = [], []

    async def student():
        """Ask, and wait until the training stands still again: what it did meanwhile is certain then."""
        await until(lambda: live.record.n_batches > 0 and notebook.views)
        (view,) = notebook.views
        view.ask("pause")
        await until(lambda: live._controls.waiting)
        n_made.append(live.record.n_batches)
        view.ask("learning rate", 0.25)
        for _ in range(2):
            n_before = live.record.n_batches
            view.ask("step")
            await until(lambda n_before=n_before: live.record.n_batches > n_before and live._controls.waiting)
            n_made.append(live.record.n_batches)
            rates.append(float(model.optimizer.learning_rate))
        view.ask("continue")
        await until(lambda: live.record.n_batches > n_made[-1] + 3)
        view.ask("stop")

    async def cell():
        x, y = line_data()
        steering = asyncio.ensure_future(student())
        # Far more epochs than the student waits for: it is the stop that ends the training.
        await live.fit(model, x, y, epochs=1_000_000, batch_size=16)
        await steering

    asyncio.run(cell())
    assert np.diff(n_made).tolist() == [1, 1]  # one batch a step, nothing in between
    # It holds from the first step on; the batch that the pause caught had passed its own turn before.
    assert rates == pytest.approx([0.25, 0.25])
    assert live.record.outcome == "stopped by hand" and live.record.n_batches > n_made[-1] + 3


def test_an_error_in_the_worker_reaches_the_cell(notebook):
    live = LiveTraining()
    with pytest.raises(ValueError, match="bad event"):
        steer(
            notebook,
            live,
            line_model(),
            lambda view, state: None,
            callbacks=[AtBatch(ValueError("bad event"), epoch=1, batch=1)],
        )
    assert live.record.outcome == "stopped by ValueError" and len(live.history["loss"]) == 1
    assert notebook.views == [] or notebook.views[0].closed
    assert n_threads() == 0 and live._controls is None


def test_a_cancelled_cell_leaves_no_thread(notebook):
    live = LiveTraining()
    x, y = line_data()
    slower = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.01))

    async def cell():
        task = asyncio.ensure_future(live.fit(line_model(), x, y, epochs=10_000, callbacks=[slower]))
        while live.record.n_batches < 5:
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cell())
    assert live.record.outcome == "interrupted" and n_threads() == 0
    assert live.record.n_batches >= 5 and notebook.views[0].closed


def test_a_page_loaded_again_gets_everything_and_keeps_its_view(notebook):
    live = LiveTraining()
    stages = []

    def requests(view, state):
        if live.record.n_batches > 10 and len(stages) < 2:
            stages.append(live.record.n_batches)
            view.hello(f"page {len(stages)}")
            # The answer, and perhaps an update that was on its way.
            assert any(message["complete"] for message, _ in view.messages[-3:])
        elif len(stages) == 2 and live._controls is not None and not live._controls.stopped:
            stages.append("stop")
            view.ask("stop")

    steer(notebook, live, line_model(), requests)
    (view,) = notebook.views
    assert not view.closed
    curves = received(view)
    np.testing.assert_array_equal(curves[BATCH_LOSS][0], live.record.batch_numbers)
    assert view.messages[-1][0]["state"]["outcome"] == "stopped by hand"


def test_steered_without_front_end_is_a_plain_fit(monkeypatch, capsys):
    live, (x, y) = LiveTraining(title="quiet"), line_data()
    history = asyncio.run(live.fit(line_model(), x, y, epochs=2))
    assert live.history == history.history
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_bad_requests_are_refused():
    controls = Controls()
    for value in (0, -1.0, math.nan, math.inf, "fast", True, None):
        with pytest.raises(ValueError, match="positive number"):
            controls.request("learning rate", value)
    with pytest.raises(ValueError, match="not 'jump'"):
        controls.request("jump")
    assert controls.learning_rate is None and not controls.paused


# --- verdict ----------------------------------------------------------------------------------------------------


def recorded(training, validation=None, *, first_loss=None, outcome="finished"):
    record = TrainingRecord(epochs=len(training))
    for epoch, loss in enumerate(training):
        if first_loss is not None:
            record.begin_epoch(epoch)
            record.add_batch(0, first_loss if epoch == 0 else loss)
        logs = {"loss": loss} | ({} if validation is None else {"val_loss": validation[epoch]})
        record.add_epoch(epoch, logs)
    record.outcome = outcome
    return record


EPOCHS = np.arange(40)
FALLING = np.exp(-EPOCHS / 8)


def test_overfitting_is_dated_at_the_turn_of_the_validation_loss():
    turn = 15
    validation = FALLING + 0.03 * np.maximum(0, EPOCHS - turn) + 0.2
    finding = recorded(list(FALLING), list(validation)).verdict
    assert finding.kind == "overfitting"
    assert abs(finding.epoch - int(np.argmin(validation)) - 1) <= 0
    assert f"Overfitting since epoch {finding.epoch}" in recorded(list(FALLING), list(validation)).summary()


@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_plateau_is_not_called_overfitting(seed):
    generator = np.random.default_rng(seed)
    validation = 0.5 + 0.4 * np.exp(-EPOCHS / 4) + 0.01 * generator.normal(size=EPOCHS.size)
    finding = recorded(list(FALLING), list(validation)).verdict
    assert finding is None or finding.kind != "overfitting"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_loss_that_runs_away_is_diverging(sign):
    losses = [1.0, 0.7, 0.5, 0.9, 3.0, 20.0, 300.0]
    finding = recorded([sign * 0.0 + loss - (2.0 if sign < 0 else 0.0) for loss in losses]).verdict
    assert (finding.kind, finding.epoch) == ("diverging", 3)


def test_a_loss_that_stays_is_not_learning():
    assert recorded([np.log(2)] * 8, first_loss=np.log(2)).verdict.kind == "not learning"
    # Everything was learned in the first epoch.
    assert recorded([0.1] * 8, first_loss=np.log(2)).verdict is None


def test_a_loss_that_still_falls_asks_for_more_epochs():
    losses = [1.0, 0.8, 0.65, 0.5, 0.4]
    assert recorded(losses, losses).verdict.kind == "still improving"
    assert recorded(losses, losses, outcome="running").verdict is None


def test_not_a_number_comes_first():
    record = recorded([1.0, 0.7, 5.0, 50.0, math.nan])
    assert record.verdict.kind == "not a number" and record.verdict.epoch == 5


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=12), st.booleans())
def test_every_curve_has_a_summary(losses, with_validation):
    assert recorded(losses, losses[::-1] if with_validation else None).summary()


def test_the_figure_shades_what_is_overfitted():
    validation = [1.0, 0.6, 0.5, 0.6, 0.7, 0.8]
    figure = curves_figure(recorded([1.0, 0.5, 0.3, 0.2, 0.1, 0.05], validation))
    shades = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(shade.x0, shade.x1) for shade in shades] == [(3, 6)]
    assert "best: epoch 3, then overfitting" in {note.text for note in figure.layout.annotations}


@pytest.mark.slow
@pytest.mark.parametrize(("front_end", "n_lines"), [("0", 3), ("1", 0)])
def test_executed_in_a_kernel_the_notebook_keeps_a_figure_and_no_widget(front_end, n_lines, monkeypatch):
    import nbclient
    import nbformat

    source = (
        "import keras, numpy as np\nfrom course_lib.training import LiveTraining\n"
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\nmodel.compile('sgd', 'mse')\n"
        "live = LiveTraining()\nx = np.ones((32, 3))\n"
        "model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[live]);"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    environment = os.environ | {"COURSE_FRONT_END": front_end, "TF_CPP_MIN_LOG_LEVEL": "3"}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=environment)
    outputs = notebook.cells[0].outputs
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    assert printed.count("Training: epoch") == n_lines
    figures = [output.data for output in outputs if "application/vnd.plotly.v1+json" in output.get("data", {})]
    assert len(figures) == 1 and "Finished after 3 of 3 epochs" in figures[0]["text/plain"]
    assert not any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
    assert len(json.dumps(notebook.metadata.get("widgets", {}))) < (100 if front_end == "0" else 60_000)
