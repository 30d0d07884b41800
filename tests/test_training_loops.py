"""Hand-written loops, several models at once, races, and repetitions in the live training monitor."""

import asyncio
import gc
import math
import weakref

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_stage import Clock, View, fit, line_data, line_model, n_threads, open_stage, received, until

from course_lib import style
from course_lib.training import LiveTraining, figure, monitor, show
from course_lib.training.record import BATCH_LOSS


@pytest.fixture
def notebook(monkeypatch):
    return open_stage(monkeypatch)


# --- a loop of one's own ----------------------------------------------------------------------------------------

BATCH = st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.integers(1, 64))


@given(st.lists(st.lists(BATCH, min_size=1, max_size=8), min_size=1, max_size=4))
@settings(max_examples=40)
def test_epochs_are_means_weighed_with_the_size_of_the_batches(epochs):
    live = LiveTraining()
    with live.run(epochs=len(epochs)) as run:
        for number, batches in enumerate(epochs):
            for loss, error, samples in batches:
                run.batch(loss=loss, error=error, samples=samples)
            run.epoch(val_loss=number)
    for at, name in enumerate(["loss", "error"]):
        by_hand = [np.average([b[at] for b in batches], weights=[b[2] for b in batches]) for batches in epochs]
        np.testing.assert_allclose(live.history[name], by_hand, rtol=1e-9, atol=1e-9)
    assert live.history["val_loss"] == list(range(len(epochs)))
    assert list(live.record.batch_losses) == [loss for batches in epochs for loss, _, _ in batches]
    assert live.record.epoch_ends == list(np.cumsum([len(batches) for batches in epochs]))
    assert live.record.outcome == "finished"


def test_what_is_measured_now_and_then_leaves_gaps():
    live = LiveTraining()
    with live.run(epochs=5) as run:
        for epoch in range(5):
            run.batch(loss=1.0)
            run.epoch(**({"val_loss": float(epoch)} if epoch in (1, 3) else {}))
    # Seen first in epoch 2: a metric that appears late belongs to the last epochs.
    np.testing.assert_equal(live.history["val_loss"], [1.0, math.nan, 3.0, math.nan])
    assert live.record.best_epoch == 1 or live.figure()


def test_tensors_are_numbers_and_arrays_are_not():
    live = LiveTraining()
    refused = pytest.raises(TypeError, match=r"loss must be one number, not an array of shape \(3,\): take its mean")
    with refused, live.run() as run:
        run.batch(loss=keras.ops.convert_to_tensor(0.5))
        run.batch(loss=np.zeros(3))
    assert list(live.record.batch_losses) == [0.5]
    assert live.record.outcome == "stopped by TypeError"


def test_a_loop_moves_the_view_and_leaves_a_figure(notebook):
    clock = Clock(step_s=0.05)
    live = LiveTraining("by hand", clock=clock)
    with live.run(epochs=2, steps=10) as run:
        for _ in range(2):
            for batch in range(10):
                run.batch(loss=1 / (batch + 1), samples=32)
            run.epoch(val_loss=0.5)
    (view,) = notebook.views
    assert view.closed and notebook.hooks == []
    np.testing.assert_allclose(received(view)[BATCH_LOSS][1][:10], 1 / np.arange(1, 11), rtol=1e-6)
    assert any(message["state"]["samplesPerSecond"] for message, _ in view.messages)
    assert notebook.shown[-1][0]["text/plain"].startswith("by hand: Finished after 2 of 2 epochs.")


@pytest.mark.parametrize(
    ("error", "outcome"), [(KeyboardInterrupt(), "interrupted"), (ValueError("bad event"), "stopped by ValueError")]
)
def test_a_loop_that_breaks_off_keeps_its_history(notebook, error, outcome):
    live = LiveTraining()
    with pytest.raises(type(error)), live.run(epochs=3) as run:
        run.batch(loss=2.0)
        run.epoch()
        run.batch(loss=1.0)
        raise error
    assert live.record.outcome == outcome and live.history == {"loss": [2.0]}
    assert list(live.record.batch_losses) == [2.0, 1.0]
    assert notebook.views[0].closed and notebook.hooks == []
    with live.run() as run:  # and the next one is not disturbed
        run.batch(loss=1.0)
    assert live.record.outcome == "finished"


@pytest.mark.parametrize("stop_at_nan", [True, False])
def test_a_lost_loss_ends_the_block(notebook, stop_at_nan):
    live = LiveTraining(stop_at_nan=stop_at_nan)
    made = []
    with live.run(epochs=1) as run:
        for loss in (1.0, math.nan, 2.0):
            made.append(loss)
            run.batch(loss=loss)
        run.epoch()
    assert len(made) == (2 if stop_at_nan else 3)
    assert live.record.first_bad_batch == (1, 2) and live.record.first_bad_position == 2
    assert live.record.outcome == ("stopped" if stop_at_nan else "finished")


def test_fewer_epochs_than_planned_are_not_called_finished():
    live = LiveTraining()
    with live.run(epochs=3) as run:
        run.batch(loss=1.0)
        run.epoch()
    assert live.record.outcome == "stopped early"


# --- several models ---------------------------------------------------------------------------------------------


def adversarial(live, **options):
    with live.run(epochs=2, models=["generator", "critic"], **options) as run:
        for _ in range(2):
            for batch in range(4):
                for _ in range(3):
                    run["critic"].batch(loss=1.0 + batch)
                run["generator"].batch(loss=5.0 - batch)
            run.epoch(critic={"val_loss": 2.0})


def test_two_models_share_panels_and_have_a_colour_each(notebook):
    live = LiveTraining("GAN", clock=Clock(step_s=0.05))
    adversarial(live)
    assert live.history == {
        "generator": {"loss": [3.5, 3.5]},
        "critic": {"loss": [2.5, 2.5], "val_loss": [2.0, 2.0]},
    }
    assert live.records["critic"].epoch_ends == [12, 24] and live.records["generator"].epoch_ends == [4, 8]
    curves = received(notebook.views[0])
    np.testing.assert_array_equal(curves[1, BATCH_LOSS][1][:6], [1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(curves[BATCH_LOSS][1][:4], [5, 4, 3, 2])
    last = notebook.views[0].messages[-1][0]["state"]
    assert [facts["name"] for facts in last["models"]] == ["generator", "critic"]
    traces = {trace.name: trace for trace in live.figure().data}
    assert traces["generator"].line.color == style.SEQUENCE[0]
    assert traces["critic"].line.color == traces["critic, validation"].line.color == style.SEQUENCE[1]
    assert traces["critic, validation"].line.dash == style.DASHES["validation"]
    # Twelve batches of one and four of the other make the same epoch.
    np.testing.assert_allclose(max(traces["critic, each batch"].x), 2)
    np.testing.assert_allclose(max(traces["generator, each batch"].x), 2)


def test_wrong_addresses_are_told():
    live = LiveTraining()
    with live.run(models=["generator", "critic"]) as run:
        with pytest.raises(TypeError, match=r"run\['generator'\].batch"):
            run.batch(loss=1.0)
        with pytest.raises(KeyError, match="choose one of 'generator', 'critic'"):
            run["discriminator"]
        with pytest.raises(KeyError, match="discriminator"):
            run.epoch(discriminator={"val_loss": 1.0})
        with pytest.raises(TypeError, match="tell whose 'val_loss' it is"):
            run.epoch(val_loss=1.0)
        assert live.record.epoch_numbers == []
    for models in ([], "generator", [""], {1: None}):
        with pytest.raises(ValueError, match="models must name what trains"), live.run(models=models):
            pass


# --- with controls ----------------------------------------------------------------------------------------------


def test_controls_act_on_a_loop_and_on_every_model_of_it(notebook):
    live = LiveTraining()
    optimizers = {"a": keras.optimizers.SGD(0.5), "b": keras.optimizers.Adam(0.01)}
    made, rates = [], []

    def train(run):
        while True:
            for name in optimizers:
                run[name].batch(loss=1.0)
                made.append(name)

    async def student():
        await until(lambda: notebook.views and live.records["b"].n_batches)
        (view,) = notebook.views
        assert view.setup["rateIsFactor"] and view.setup["learningRate"] == 1.0
        view.ask("pause")
        await until(lambda: live._controls.waiting)
        n_reported = sum(record.n_batches for record in live.records.values())
        view.ask("learning rate", 0.1)
        view.ask("step")
        await until(lambda: sum(r.n_batches for r in live.records.values()) > n_reported and live._controls.waiting)
        assert sum(record.n_batches for record in live.records.values()) == n_reported + 1
        rates.extend(float(optimizer.learning_rate) for optimizer in optimizers.values())
        assert view.messages[-1][0]["state"]["paused"]
        view.ask("continue")
        view.ask("stop")

    async def cell():
        steering = asyncio.ensure_future(student())
        assert await live.loop(train, models=optimizers) is None
        await steering

    asyncio.run(cell())
    assert rates == pytest.approx([0.05, 0.001])
    assert {record.outcome for record in live.records.values()} == {"stopped by hand"}
    assert n_threads() == 0 and notebook.views[0].closed and live._controls is None
    assert "Stopped by hand after" in notebook.shown[-1][0]["text/plain"]


def test_a_loop_gives_back_what_its_function_returns(notebook, monkeypatch):
    live = LiveTraining()

    def train(run):
        run.batch(loss=1.0)
        run.epoch()
        return "weights"

    assert asyncio.run(live.loop(train, epochs=1)) == "weights"
    assert live.record.outcome == "finished"

    def fails(run):
        raise ValueError("bad event")

    with pytest.raises(ValueError, match="bad event"):
        asyncio.run(live.loop(fails))
    assert live.record.outcome == "stopped by ValueError" and n_threads() == 0

    async def never(run):
        pass

    with pytest.raises(TypeError, match="not async def"):
        asyncio.run(live.loop(never))


def test_a_cancelled_loop_leaves_no_thread(notebook):
    live = LiveTraining()

    def train(run):
        while True:
            run.batch(loss=1.0)

    async def cell():
        task = asyncio.ensure_future(live.loop(train))
        await until(lambda: notebook.views)
        with pytest.raises(RuntimeError, match="make a second one"):
            await live.loop(train)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cell())
    assert live.record.outcome == "interrupted" and n_threads() == 0 and notebook.views[0].closed


def test_a_loop_without_front_end_just_runs(capsys):
    live = LiveTraining("quiet")

    def train(run):
        run.batch(loss=1.0)
        run.epoch()
        return 7

    assert asyncio.run(live.loop(train, epochs=1)) == 7
    assert capsys.readouterr().out.startswith("quiet: epoch 1 of 1")


# --- races ------------------------------------------------------------------------------------------------------


def compiled(optimizer):
    model = line_model()
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def test_a_racer_runs_as_it_would_alone():
    x, y = line_data(n_samples=60)
    models = {"SGD": compiled("sgd"), "Adam": compiled(keras.optimizers.Adam(0.01))}
    alone = {"SGD": compiled("sgd"), "Adam": compiled(keras.optimizers.Adam(0.01))}
    seen = []
    live = LiveTraining(measures={"val_bias": lambda model: seen.append(model) or float(model.get_weights()[1][0])})
    history = asyncio.run(live.race(models, x, y, epochs=2, batch_size=20, validation_data=(x[:20], y[:20]), seed=3))
    assert history == live.history and set(history) == {"SGD", "Adam"}
    generator = np.random.default_rng(3)
    orders = [generator.permutation(60) for _ in range(2)]
    for name, model in alone.items():
        for epoch, order in enumerate(orders):
            done = model.fit(
                x[order], y[order], batch_size=20, shuffle=False, verbose=0, validation_data=(x[:20], y[:20])
            )
            for key, (value,) in done.history.items():
                assert history[name][key][epoch] == pytest.approx(value, rel=1e-5), (name, key)
        for mine, reference in zip(models[name].get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(mine, reference, rtol=1e-5)
    assert live.records["SGD"].epoch_ends == [3, 6] and len(seen) == 4
    assert history["SGD"]["val_bias"][-1] == pytest.approx(models["SGD"].get_weights()[1][0])


def test_a_racer_that_loses_its_loss_drops_out(notebook):
    x, y = line_data()
    models = {"steady": compiled(keras.optimizers.SGD(0.01)), "wild": compiled(keras.optimizers.SGD(1e25))}
    models["wild"].set_weights([weight + 1 for weight in models["wild"].get_weights()])
    live = LiveTraining()
    asyncio.run(live.race(models, x, y, epochs=3, batch_size=16))
    np.testing.assert_array_equal(notebook.views[0].setup["learningRate"], 1.0)
    assert len(live.history["steady"]["loss"]) == 3 and live.records["steady"].outcome == "finished"
    assert len(live.history["wild"]["loss"]) == 1 and live.records["wild"].outcome == "stopped"
    assert live.records["wild"].verdict.kind == "not a number"
    # Equal shapes: both began at the first one's weights, so the first batch was the same to both.
    assert live.records["wild"].batch_losses[0] == live.records["steady"].batch_losses[0]
    assert "wild: Stopped after 1 of 3 epochs" in notebook.shown[-1][0]["text/plain"]
    # Alone it ends the race at once.
    asyncio.run(live.race({"wild": compiled(keras.optimizers.SGD(1e25))}, x, y, epochs=5, batch_size=16))
    assert live.record.outcome == "stopped" and len(live.record.epoch_numbers) <= 1


def test_a_race_that_cannot_start_is_refused():
    x, y = line_data()
    model, shared = line_model(), keras.optimizers.SGD(0.1)
    second, third = compiled(shared), line_model()
    third.compile(shared, "mse")
    uncompiled = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    live = LiveTraining()
    for models, options, message in [
        ({}, {}, "a race needs models"),
        ({"a": uncompiled}, {}, "'a' is not compiled"),
        ({"a": model, "b": model}, {}, "appears twice"),
        ({"a": second, "b": third}, {}, "share one optimiser"),
        ({"a": model}, {"epochs": 0}, "epochs must be a whole number above 0"),
        ({"a": model}, {"batch_size": 0.5}, "batch_size must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            asyncio.run(live.race(models, x, y, **{"epochs": 1, **options}))
    with pytest.raises(ValueError, match="same number of samples"):
        asyncio.run(live.race({"a": model}, x, y[:5], epochs=1))


# --- repetitions and memory -------------------------------------------------------------------------------------


def test_repetitions_equal_trainings_with_these_seeds(notebook):
    x, y = line_data()

    def build():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "tanh"), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.05), "mse")
        return model

    live = LiveTraining("two seeds")
    options = {"epochs": 2, "batch_size": 16, "validation_split": 0.25}
    histories = asyncio.run(live.repeat(build, x, y, seeds=[1, 2], **options))
    for seed, history in zip([1, 2], histories, strict=True):
        keras.utils.set_random_seed(seed)
        assert build().fit(x, y, verbose=0, **options).history == history.history
    assert [run.history for run in live.earlier] == [histories[0].history]
    assert live.history == histories[1].history
    # One view for all of them, which ends as the figure of their spread.
    (view,) = notebook.views
    assert view.closed and n_threads() == 0
    (_, opened), (bundle, replaced) = notebook.shown
    assert replaced["display_id"] == opened["display_id"]
    last = [history.history["val_loss"][-1] for history in histories]
    text = f"2 trainings; val loss after epoch 2: {np.mean(last):.4g} ± {np.std(last, ddof=1):.2g}."
    assert text in live.spread_figure().layout.title.text
    assert text in str(bundle["application/vnd.plotly.v1+json"]["layout"]["title"]["text"])
    with pytest.raises(ValueError, match="two seeds at least, not 1"):
        asyncio.run(live.repeat(build, x, y, seeds=[1]))


def test_fifty_runs_of_a_cell_leave_nothing_behind(notebook):
    left = []

    class Watched(monitor.Monitor):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            left.append(weakref.ref(self))

    show.Monitor, original = Watched, show.Monitor
    try:
        for _ in range(50):
            live = LiveTraining(clock=Clock(step_s=0.05))
            left.append(weakref.ref(live))
            with live.run(epochs=1) as run:
                run.batch(loss=1.0)
                run.epoch()
        live = LiveTraining()
        fit(live, epochs=1)
        asyncio.run(live.fit(line_model(), *line_data(), epochs=1))
        left.append(weakref.ref(live))
    finally:
        show.Monitor = original
    assert len(left) == 50 + 50 + 2 + 1 and all(view.closed for view in notebook.views)
    del live, run
    notebook.shown.clear()
    notebook.views.clear()
    gc.collect()
    assert [reference() for reference in left if reference() is not None] == []
    assert n_threads() == 0


def test_the_same_monitor_keeps_a_bounded_past():
    live = LiveTraining()
    for number in range(40):
        with live.run(epochs=1) as run:
            run.batch(loss=float(number))
            run.epoch()
    names = [run.name for run in live.earlier]
    assert len(names) == 12 and names[-1] == "run 39" and live.earlier[-1].history == {"loss": [38.0]}
    oldest = figure.curves_figure(live.records, earlier=live.earlier).data[0]
    assert oldest.name == "earlier runs" and "run 28" in oldest.hovertemplate


def test_ten_thousand_batches_take_less_than_a_megabyte():
    import json

    clock = Clock()
    live = LiveTraining(clock=clock)
    sent = []

    class Counting(View):
        def send(self, message, buffers):
            sent.append(len(json.dumps(message)) + sum(map(len, buffers)))

    with pytest.MonkeyPatch.context() as patch:
        open_stage(patch, Counting)
        patch.setattr(show.Pace, "__exit__", _pace_without_cost)
        with live.run(epochs=10, steps=1000) as run:
            for _ in range(10):
                for _ in range(1000):
                    clock.now += 0.01
                    run.batch(loss=clock.now, error=1.0)
                run.epoch(val_loss=1.0, val_error=1.0)
    assert len(sent) > 500  # a hundred seconds: it did move
    assert sum(sent) < 1_000_000


def _pace_without_cost(pace, *exception):
    pace._next = pace._start + pace._shortest


def test_a_loop_without_batches_counts_epochs(notebook):
    live = LiveTraining(clock=Clock(step_s=0.2))
    with live.run(epochs=4) as run:
        for epoch in range(4):
            run.epoch(loss=1 / (epoch + 1))
    state = notebook.views[0].messages[-1][0]["state"]
    assert state["steps"] == state["models"][0]["steps"] == 1 and state["batch"] == 0
    assert live.history["loss"] == [1, 1 / 2, 1 / 3, 1 / 4] and list(live.figure().data[0].x) == [1, 2, 3, 4]
