"""A look into the layers of a network that trains: right numbers, and a training that does not notice."""

import asyncio
import dataclasses

import keras
import numpy as np
import pytest
from training_stage import line_data, line_model, n_threads, open_stage, until

from course_lib.training import LiveTraining, TrainingRecord, inspect_layers, inspection, layers_figure


@pytest.fixture
def notebook(monkeypatch):
    return open_stage(monkeypatch)


def deep_model(learning_rate=0.05, *, seed=4):
    keras.utils.set_random_seed(seed)
    layers = [
        keras.Input((3,)),
        keras.layers.Dense(6, "relu", name="hidden"),
        keras.layers.BatchNormalization(name="normal"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, name="output"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(learning_rate, momentum=0.9), "mse", metrics=["mae"])
    return model


def test_gradient_of_a_line_is_that_of_the_formula():
    x, y = line_data()
    model = line_model()
    (layer,) = inspect_layers(model, x, y)
    kernel, bias = model.get_weights()
    residual = x @ kernel + bias - y
    gradient = np.concatenate([(2 * x.T @ residual / len(x)).ravel(), [2 * residual.mean()]])
    assert layer.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert layer.weight_norm == pytest.approx(np.sqrt((kernel**2).sum() + (bias**2).sum()), rel=1e-6)
    assert layer.dead_share is None and layer.update_ratio is None


def test_gradients_equal_finite_differences():
    x, y = line_data()
    model = deep_model()
    found = {layer.name: layer.gradient_norm for layer in inspect_layers(model, x, y)}
    for layer in model.layers:
        squares = 0.0
        for variable in layer.trainable_variables:
            start = variable.numpy()
            for place in np.ndindex(start.shape):
                losses = []
                for step in (1e-2, -1e-2):
                    moved = start.copy()
                    moved[place] += step
                    variable.assign(moved)
                    losses.append(float(np.mean((np.asarray(model(x, training=False)) - y) ** 2)))
                squares += ((losses[0] - losses[1]) / 2e-2) ** 2
            variable.assign(start)
        if layer.trainable_variables:
            assert found[layer.name] == pytest.approx(np.sqrt(squares), rel=0.03), layer.name


def test_each_step_of_plain_descent_is_learning_rate_times_gradient():
    x, y = line_data()
    learning_rate = 0.03
    model = line_model(learning_rate)
    live = LiveTraining(inspect=(x, y))
    model.fit(x, y, epochs=4, batch_size=len(x), verbose=0, callbacks=[live])  # one batch an epoch: the probe
    before, *_ = live.record.inspections
    assert [look.epoch for look in live.record.inspections] == [1, 2, 3, 4]
    for after in live.record.inspections[1:]:
        expected = learning_rate * before.layers[0].gradient_norm / before.layers[0].weight_norm
        assert after.layers[0].update_ratio == pytest.approx(expected, rel=1e-3)
        before = after


def test_of_several_batches_the_last_one_is_compared():
    x, y = line_data()
    model = line_model()
    kept = []

    class KeepWeights(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(np.concatenate([weight.ravel() for weight in self.model.get_weights()]))

    live = LiveTraining(inspect=(x, y))
    model.fit(x, y, epochs=2, batch_size=16, verbose=0, callbacks=[live, KeepWeights()])
    for look, last in zip(live.record.inspections, (3, 7), strict=True):
        expected = np.linalg.norm(kept[last] - kept[last - 1]) / np.linalg.norm(kept[last - 1])
        assert look.layers[0].update_ratio == pytest.approx(expected, rel=1e-4)


def test_dead_units_are_counted():
    x, _ = line_data()
    model = deep_model()
    kernel, bias = model.get_layer("hidden").get_weights()
    model.get_layer("hidden").set_weights([kernel, bias + np.array([-100, 0, 0, -100, 100, 0], dtype="f4")])
    alive = (x @ kernel + model.get_layer("hidden").get_weights()[1]).max(axis=0) > 0
    shares = {layer.name: layer.dead_share for layer in inspect_layers(model, x)}
    assert shares["hidden"] == np.mean(~alive) and shares["hidden"] >= 1 / 3
    assert shares["normal"] is None and shares["output"] is None


def test_a_training_does_not_notice_the_look():
    x, y = line_data()

    def train(**options):
        model = deep_model()
        return model, model.fit(x, y, epochs=3, batch_size=16, verbose=0, validation_split=0.25, **options)

    live = LiveTraining(inspect=(x, y))
    watched, watched_history = train(callbacks=[live])
    plain, plain_history = train()
    assert watched_history.history == plain_history.history
    for mine, reference in zip(watched.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, reference)
    assert len(live.record.inspections) == 3


def test_losses_of_several_outputs_do_not_count_the_look():
    inputs = keras.Input((3,))
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("energy", "mass")}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    x, y = line_data()
    targets = {"energy": y, "mass": 2 * y}
    model.evaluate(x, targets, verbose=0)
    before = [float(metric.result()) for metric in model.metrics]
    probe = {name: values[:7] for name, values in targets.items()}  # other losses than those of all
    found = {layer.name: layer.gradient_norm for layer in inspect_layers(model, x[:7], probe)}
    assert [float(metric.result()) for metric in model.metrics] == before
    assert found["energy"] > 0 and found["mass"] > 0


def test_other_kinds_of_models():
    x, y = line_data()

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(4, "relu", name="hidden")
            self.out = keras.layers.Dense(1, name="out")

        def call(self, values):
            return self.out(self.hidden(values))

    own = Own()
    own.compile("sgd", "mse")
    own(x)
    assert [layer.name for layer in inspect_layers(own, x, y)] == ["hidden", "out"]
    left, right = keras.Input((3,)), keras.Input((3,))
    joined = keras.layers.Dense(1, "relu", name="joined")(keras.layers.Concatenate()([left, right]))
    two_inputs = keras.Model([left, right], joined)
    two_inputs.compile("sgd", "mse")
    (layer,) = inspect_layers(two_inputs, [x, x], y)
    assert layer.gradient_norm >= 0 and layer.dead_share is None
    uncompiled = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    assert inspect_layers(uncompiled, x, y)[0].gradient_norm is None
    # Frozen layers have no gradient; the same model is asked again after it changed.
    own.hidden.trainable = False
    assert [layer.name for layer in inspect_layers(own, x, y) if layer.gradient_norm is not None] == ["out"]


def test_nothing_is_computed_unless_asked_for(monkeypatch, notebook):
    def never(*arguments):
        raise AssertionError("looked into the layers without being asked")

    monkeypatch.setattr(inspection, "inspect_layers", never)
    x, y = line_data()
    live = LiveTraining()
    line_model().fit(x, y, epochs=2, verbose=0, callbacks=[live])
    asyncio.run(live.fit(line_model(), x, y, epochs=2))
    assert live.record.inspections == []
    with pytest.raises(ValueError, match="nobody looked into the layers"):
        live.layers_figure()
    with pytest.raises(TypeError, match="inspect must be one batch"):
        LiveTraining(inspect=x)


def test_asked_for_in_a_pause_the_next_step_completes_it(notebook):
    x, y = line_data()
    live, model = LiveTraining(), line_model()
    looks = []

    async def student():
        await until(lambda: notebook.views and live.record.n_batches > 0)
        (view,) = notebook.views
        assert view.setup["inspect"]
        view.ask("pause")
        await until(lambda: live._controls.waiting)
        view.ask("inspect")
        await until(lambda: live.record.inspections and live._controls.waiting)
        looks.append(live.record.inspections[-1])
        view.ask("step")
        await until(lambda: live.record.inspections[-1].layers[0].update_ratio is not None)
        looks.append(live.record.inspections[-1])
        await until(lambda: live._controls.waiting)
        view.ask("step")
        await until(lambda: view.messages[-1][0]["state"]["models"][0]["layers"][0]["update_ratio"] is not None)
        view.ask("stop")

    async def cell():
        steering = asyncio.ensure_future(student())
        await live.fit(model, x, y, epochs=1_000_000, batch_size=16)
        await steering

    asyncio.run(cell())
    first, completed = looks
    assert first.layers[0].update_ratio is None and first.layers[0].gradient_norm > 0
    same = dataclasses.replace(completed.layers[0], update_ratio=None)
    assert same == first.layers[0] and completed.n_batches == first.n_batches
    assert n_threads() == 0
    # The figure of the layers follows that of the curves.
    assert [bundle["text/plain"] for bundle, _ in notebook.shown[1:]][-1] == "Training: the layers"


def test_a_look_that_fails_does_not_end_the_training(notebook, monkeypatch, capsys):
    def fails(*arguments):
        raise ValueError("no such layer")

    monkeypatch.setattr(inspection, "inspect_layers", fails)
    x, y = line_data()
    live = LiveTraining()

    async def student():
        await until(lambda: notebook.views and live.record.n_batches > 0)
        (view,) = notebook.views
        view.ask("inspect")
        n_batches = live.record.n_batches
        await until(lambda: live.record.n_batches > n_batches + 10)
        view.ask("stop")

    async def cell():
        steering = asyncio.ensure_future(student())
        await live.fit(line_model(), x, y, epochs=1_000_000, batch_size=16)
        await steering

    asyncio.run(cell())
    assert live.record.outcome == "stopped by hand" and live.record.inspections == []
    assert "Training: the layers cannot be looked into: no such layer" in capsys.readouterr().out


def test_the_figure_draws_every_number_and_names_what_stands_out():
    record = TrainingRecord(title="deep")
    for epoch in (1, 2):
        layers = (
            inspection.LayerState("first", 2.0, 1e-3, 2e-2, 0.75),
            inspection.LayerState("second", 1.0, 10.0 * epoch, 1e-6),
        )
        record.inspections.append(inspection.Inspection(10 * epoch, float(epoch), layers))
    figure = layers_figure(record)
    drawn = sorted((trace.name, *trace.y) for trace in figure.data)
    expected = [
        ("first", 1e-3, 1e-3), ("first", 2e-2, 2e-2), ("first", 0.75, 0.75), ("first", 2.0, 2.0),
        ("second", 1e-6, 1e-6), ("second", 1.0, 1.0), ("second", 10.0, 20.0),
    ]  # fmt: skip
    assert drawn == expected
    axes = [figure.layout[name].title.text for name in figure.layout if name.startswith(("xaxis", "yaxis"))]
    assert len(axes) == 8 and all(axes)
    for words in ("units of first are dead", "large steps in first", "small steps in second"):
        assert words in figure.layout.title.text.replace("<br>", " ").lower()
