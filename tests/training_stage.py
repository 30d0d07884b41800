"""Stand-ins for browser, shell and clock, and small trainings, for the tests of the live training monitor."""

import asyncio
import threading
from types import SimpleNamespace

import keras
import numpy as np

from course_lib.training import live_training, show, trainings


class View:
    """Takes messages as an anywidget does."""

    def __init__(self, setup=None):
        self.setup = setup
        self.messages = []
        self.closed = False

    def send(self, message, buffers):
        assert not self.closed, "a message to a closed view"
        self.messages.append((message, buffers))

    def on_msg(self, handler):
        self.handler = handler

    def ask(self, action, value=None):
        self.handler(self, {"kind": "control", "action": action, "value": value}, [])

    def hello(self, page):
        self.handler(self, {"kind": "hello", "page": page}, [])

    def close(self):
        self.closed = True


class Clock:
    """Advances by the same step whenever it is read."""

    def __init__(self, step_s=0.0):
        self.now, self.step_s = 0.0, step_s

    def __call__(self):
        self.now += self.step_s
        return self.now


def open_stage(monkeypatch, view=View):
    """A front end and an IPython shell, with lists of what they were asked to do; for a fixture of each module."""
    hooks = []
    events = SimpleNamespace(
        register=lambda name, function: hooks.append(function), unregister=lambda name, function: hooks.remove(function)
    )
    stage = SimpleNamespace(hooks=hooks, views=[], shown=[])

    def make_view(setup):
        stage.views.append(view(setup))
        return stage.views[-1]

    def display(thing, **options):
        stage.shown.append((thing, options))

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(show, "_shell", lambda: SimpleNamespace(events=events))
    for module in (live_training, show, trainings):
        monkeypatch.setattr(module, "has_front_end", lambda: True)
    monkeypatch.setattr(show, "view_class", lambda: make_view)
    return stage


def received(view):
    """Rebuild the curves as the browser does, from the bytes alone."""
    curves = {}
    for message, (payload,) in view.messages:
        if message["complete"]:
            curves = {}
        numbers = np.frombuffer(payload, dtype="<f4")
        for run, name, n_points in message["curves"]:
            name = name if run == 0 else (run, name)
            positions, values, numbers = numbers[:n_points], numbers[n_points : 2 * n_points], numbers[2 * n_points :]
            known = curves.get(name, (np.empty(0), np.empty(0)))
            curves[name] = (np.concatenate([known[0], positions]), np.concatenate([known[1], values]))
        assert numbers.size == 0
    return curves


def line_data(n_samples=64, seed=5):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_samples, 3)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5]] + 0.3 * generator.normal(size=(n_samples, 1))).astype("float32")


def line_model(learning_rate=0.05, metrics=()):
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate), "mse", metrics=list(metrics))
    return model


def fit(live, model=None, **options):
    x, y = line_data()
    options = {"epochs": 3, "batch_size": 16, "verbose": 0, **options}
    return (model or line_model()).fit(x, y, callbacks=[live, *options.pop("callbacks", [])], **options)


class AtBatch(keras.callbacks.Callback):
    """Raises an error at the end of a batch of an epoch (both counted from 0)."""

    def __init__(self, error, epoch, batch):
        super().__init__()
        self.error, self.where = error, (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.where:
            raise self.error


def n_threads():
    """Worker threads of asyncio that are alive."""
    return sum(thread.name.startswith("asyncio") for thread in threading.enumerate())


async def until(condition):
    """Wait for what another thread does."""
    while not condition():
        await asyncio.sleep(0.005)
