"""A Keras callback whose curves move while ``fit`` runs, and which leaves a static figure."""

from __future__ import annotations

import contextlib
import inspect as python_inspect
import math
import time

import keras

from course_lib.front_end import has_front_end
from course_lib.training.controls import Controls
from course_lib.training.inspection import probe_of
from course_lib.training.monitor import UPDATES_PER_SECOND
from course_lib.training.race import check_race, share_start, train_in_step
from course_lib.training.record import TrainingRecord
from course_lib.training.run import TrainingStopped
from course_lib.training.trainings import Trainings


class LiveTraining(Trainings, keras.callbacks.Callback):
    """Draw loss and metrics while a network trains.

    With a front end the curves of training and validation move while ``fit`` runs: every batch for the
    training loss, every epoch for the rest. When ``fit`` ends, however it ends, a static figure takes the
    place of the live view. Without a front end no widget is made: one line an epoch is printed, and the same
    figure is left. Ways to use it::

        model.fit(x, y, epochs=20, verbose=0, callbacks=[live])  # curves
        await live.fit(model, x, y, epochs=20)  # curves and controls: pause, step, stop, learning rate
        await live.race({"SGD": model_a, "Adam": model_b}, x, y, epochs=20)  # several models, the same batches
        await live.repeat(build_model, x, y, seeds=range(5), epochs=20)  # one model, several seeds
        with live.run(epochs=20) as run:  # a loop of your own
            run.batch(loss=loss)
            run.epoch(val_loss=val_loss)
        await live.loop(function_with_a_loop, epochs=20)  # the same, with controls

    Parameters
    ----------
    title : str
        Stands above the curves.
    units : dict of str to str, optional
        Unit of a metric, for its axis: ``{"mae": "eV"}``.
    measures : dict of str to callable, optional
        What physics asks for: name -> function of the model that returns a number, called after every epoch.
        It becomes a curve like any other, here and in the history of ``fit``. A name that begins with
        ``val_`` is drawn as measured on validation data::

            LiveTraining(measures={"val_resolution": lambda model: np.std(model.predict(x, verbose=0) - y)},
                         units={"resolution": "EeV"})
    earlier : dict of str to training, optional
        Trainings to compare with, drawn as thin lines behind: name -> what ``fit`` returned, its ``history``,
        or a `TrainingRecord`. Earlier trainings of the same `LiveTraining` join by themselves.
    inspect : tuple of (inputs, targets), optional
        One batch on which all layers are looked into after every epoch (see `layers_figure`). Without it
        nothing is computed, unless the reader of a view with controls asks for it.
    updates_per_second : float
        How often the picture may change; ten at most. Updates also never take more than one percent of the
        training's time.
    stop_at_nan : bool
        Whether to end the training once the loss is not a finite number: the weights are lost then, and
        further epochs only cost time.
    clock : callable
        Time in seconds; tests replace it.

    Attributes
    ----------
    history : dict of str to list of float
        One value an epoch for each name in Keras' logs, as in ``model.fit(...).history``; where several models
        trained, such a dictionary for each by its name.
    record : TrainingRecord
        All that is known about the last training, single batches included.
    records : dict of str to TrainingRecord
        The same for each model by its name; a single one has the name ``""``.

    Notes
    -----
    The training loss of an epoch is the mean over its batches, while the weights change; the validation loss
    belongs to the weights at its end. In the first epochs the training loss can therefore be the larger one.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from course_lib.training import LiveTraining
    >>> keras.utils.set_random_seed(1)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> live = LiveTraining(title="straight line")
    >>> x = np.linspace(0, 1, 8)[:, None]
    >>> _ = model.fit(x, 2 * x, epochs=2, verbose=0, callbacks=[live])
    straight line: epoch 1 of 2 ... s  loss ...
    straight line: epoch 2 of 2 ... s  loss ...
    >>> len(live.history["loss"])
    2
    """

    def __init__(
        self,
        title="Training",
        *,
        units=None,
        measures=None,
        earlier=None,
        inspect=None,
        updates_per_second=UPDATES_PER_SECOND,
        stop_at_nan=True,
        clock=time.perf_counter,
    ):
        Trainings.__init__(
            self, title, units=units, earlier=earlier, inspect=inspect, rate=updates_per_second, clock=clock
        )
        self.measures = dict(measures or {})
        for name, measure in self.measures.items():
            if not callable(measure):
                raise TypeError(f"measures[{name!r}] must be a function of the model, not {measure!r}.")
        self.stop_at_nan = stop_at_nan

    async def fit(self, model, *arguments, **options):
        """Train in a worker thread, so that the controls of the view act while the network trains.

        The cell stays busy until the training ends, so that "Run All Cells" keeps its order. After a reload of
        the page the view comes back. Without a front end nobody could touch the controls; there this is
        ``model.fit``.

        Parameters
        ----------
        model : keras.Model
            Compiled model. Nobody else should use it until the training ends.
        *arguments, **options
            As for ``model.fit``; ``verbose`` is 0 by default, and this callback is added.

        Returns
        -------
        keras.callbacks.History
            What ``model.fit`` returns.

        Raises
        ------
        RuntimeError
            If this monitor is already showing a training.
        Exception
            Whatever ``model.fit`` raises; the history up to there is kept.

        Examples
        --------
        In a notebook cell::

            live = LiveTraining(title="cosmic rays")
            history = await live.fit(model, traces, energies, validation_split=0.1, epochs=30)
        """
        self._refuse_a_second()
        options = self._fit_options(options)
        if not has_front_end():
            return model.fit(*arguments, **options)
        self._probe = self._inspect or probe_of(arguments, options)
        with self._hold(Controls()):
            return await self._show.accompany(model.fit, *arguments, **options)

    async def repeat(self, build, *arguments, seeds=range(5), **options):
        """Train freshly built models that differ in their seed only, and leave the spread of their curves.

        Parameters
        ----------
        build : callable
            Returns a compiled model; called once a seed, after ``keras.utils.set_random_seed(seed)``.
        *arguments, **options
            As for ``model.fit``.
        seeds : iterable of int
            At least two.

        Returns
        -------
        list of keras.callbacks.History
            What ``model.fit`` returned for each seed; fewer if the reader pressed stop.

        Raises
        ------
        ValueError
            If there are fewer than two seeds.
        RuntimeError
            If this monitor is already showing a training.

        Examples
        --------
        In a notebook cell::

            live = LiveTraining(title="five seeds")
            histories = await live.repeat(build_model, x, y, validation_split=0.2, epochs=20)
            live.spread_figure(log_scale=True)
        """
        self._refuse_a_second()
        seeds = list(seeds)
        if len(seeds) < 2:
            raise ValueError(f"a spread needs two seeds at least, not {len(seeds)}: seeds=range(5).")
        options = self._fit_options(options)
        self._earlier, self._n_trainings = [], 0
        self.records = {"": TrainingRecord(title=self.title, units=self.units)}

        def train():
            histories = []
            for seed in seeds:
                keras.utils.set_random_seed(seed)
                histories.append(build().fit(*arguments, **options))
                if self._controls is not None and self._controls.stopped:
                    break
            return histories

        self._probe = self._inspect or probe_of(arguments, options)
        controls = Controls() if has_front_end() else None
        with self._hold(controls, repeating=True):
            if controls is None:
                return train()
            return await self._show.accompany(train)

    @contextlib.contextmanager
    def run(self, *, epochs=None, steps=None, models=None):
        """Show a training loop of your own.

        Parameters
        ----------
        epochs : int, optional
            Number of epochs planned: for the axis and for the time left.
        steps : int, optional
            Batches in an epoch; learned in the first one where it is not given. Of several models a dictionary
            by their names may tell it for each.
        models : dict of str to model, sequence of str, or model, optional
            Names what trains together, for example ``["generator", "critic"]``. Given as a dictionary to Keras
            models or optimisers (or as one of them alone), the learning rate can be changed and layers can be
            looked into.

        Yields
        ------
        Run
            Takes ``run.batch(loss=...)`` and ``run.epoch(val_loss=...)``; of several models
            ``run["critic"].batch(loss=...)`` and ``run.epoch(critic={"val_loss": ...})``.

        Raises
        ------
        RuntimeError
            If this monitor is already showing a training.

        Notes
        -----
        Where the loss is not a finite number the block ends, unless ``stop_at_nan=False``. The controls of the
        view need `loop`.

        Examples
        --------
        >>> from course_lib.training import LiveTraining
        >>> live = LiveTraining("parabola")
        >>> w = 3.0
        >>> with live.run(epochs=2, steps=2) as run:
        ...     for _ in range(2):
        ...         for _ in range(2):
        ...             run.batch(loss=w**2)
        ...             w -= 0.25 * 2 * w
        ...         run.epoch(val_loss=w**2)
        parabola: epoch 1 of 2 ... s  loss 5.625  val loss 0.5625
        parabola: epoch 2 of 2 ... s  loss 0.3516  val loss 0.03516
        >>> live.history["loss"]
        [5.625, 0.3515625]
        """
        self._refuse_a_second()
        run = self._open_run(models, epochs, steps, controls=None)
        outcome = "stopped"
        try:
            with contextlib.suppress(TrainingStopped):
                yield run
                outcome = self._how_it_ended()
        except KeyboardInterrupt:
            outcome = "interrupted"
            raise
        except BaseException as error:
            outcome = f"stopped by {type(error).__name__}"
            raise
        finally:
            self._show.finish(outcome)

    async def loop(self, function, *, epochs=None, steps=None, models=None):
        """Run a function that holds a training loop in a worker thread, so that the controls act on it.

        Pause and step act where the loop reports a batch; stop ends the loop there, and what the weights have
        become is kept. Without a front end the function simply runs.

        Parameters
        ----------
        function : callable
            Takes the `Run` (see `run`) and trains.
        epochs, steps, models
            As for `run`.

        Returns
        -------
        object
            What `function` returns; None if the loop was stopped.

        Raises
        ------
        TypeError
            If `function` is a coroutine function.
        RuntimeError
            If this monitor is already showing a training.

        Examples
        --------
        In a notebook cell::

            def train(run):
                for epoch in range(20):
                    for real in batches:
                        run["critic"].batch(loss=critic_step(real))
                        run["generator"].batch(loss=generator_step())
                    run.epoch()

            live = LiveTraining(title="air showers")
            await live.loop(train, epochs=20, models={"critic": critic, "generator": generator})
        """
        self._refuse_a_second()
        if not callable(function) or python_inspect.iscoroutinefunction(function):
            raise TypeError(f"loop needs a plain function of the run (def, not async def), not {function!r}.")
        if not has_front_end():
            with self.run(epochs=epochs, steps=steps, models=models) as run:
                return function(run)
            return None
        self._controls = Controls()
        try:
            run = self._open_run(models, epochs, steps, controls=self._controls)
            return await self._show.accompany(self._work, function, run)
        finally:
            self._controls = None

    async def race(self, models, x, y, *, epochs, batch_size=32, validation_data=None, seed=0, same_start=True):
        """Train several compiled models side by side, each on the same batches in the same order.

        Parameters
        ----------
        models : dict of str to keras.Model
            Compiled models by name, each with an optimiser of its own.
        x, y : array_like or nested structures of them
            Training data, first axis the samples.
        epochs, batch_size : int
            As for ``model.fit``.
        validation_data : tuple of (x, y), optional
            Measured after every epoch.
        seed : int
            Of the order of the samples.
        same_start : bool
            Whether models of equal shape begin with the weights of the first of them: then only the optimisers
            differ.

        Returns
        -------
        dict of str to dict
            The history of each model. A model whose loss is lost (NaN) drops out; the others go on.

        Raises
        ------
        ValueError
            If the models cannot race (see the message).
        RuntimeError
            If this monitor is already showing a training.

        Examples
        --------
        In a notebook cell::

            optimisers = {"SGD": "sgd", "momentum": keras.optimizers.SGD(momentum=0.9), "Adam": "adam"}
            models = {name: build_model() for name in optimisers}
            for name, optimiser in optimisers.items():
                models[name].compile(optimiser, "mse")
            await LiveTraining("race").race(models, x, y, epochs=20, validation_data=(x_val, y_val))
        """
        import numpy as np

        x, y = keras.tree.map_structure(np.asarray, (x, y))
        check_race(models, x, y, epochs=epochs, batch_size=batch_size)
        if same_start:
            share_start(list(models.values()))
        self._probe = self._inspect or probe_of((x, y), {})
        options = {"epochs": epochs, "batch_size": batch_size, "validation_data": validation_data, "seed": seed}

        def function(run):
            train_in_step(run, models, x, y, **options, measures=self.measures)

        steps = math.ceil(len(keras.tree.flatten(x)[0]) / batch_size)
        await self.loop(function, epochs=epochs, steps=steps, models=models)
        return self.history

    # --- called by Keras --------------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        if not self._held and self._show is not None:
            # A training that ended with an error outside of a notebook was never closed.
            self._show.finish("interrupted")
        self._remember_the_last()
        record = TrainingRecord(
            title=self.title, epochs=self.params.get("epochs"), steps=self.params.get("steps"), units=self.units
        )
        self._n_trainings += 1
        self._member = self._make_member(record, model=self.model)
        self.records = {"": record}
        if self._held:
            self._show.phase = "training"
            self._show.members = [self._member]
        else:
            self._show = self._make_show([self._member])

    def on_epoch_begin(self, epoch, logs=None):
        self._show.phase = "training"
        self._member.begin_epoch(epoch)

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None:  # a model with a train_step of its own may report anything
            self.record.add_batch(batch, loss)
            if loss - loss != 0.0 and self.stop_at_nan:  # NaN or infinity, without the cost of a function call
                self.model.stop_training = True
        self._member.end_batch(batch)
        self._show.update_if_due()
        if self._controls is not None and self._show.obey():
            self.model.stop_training = True

    def on_test_begin(self, logs=None):
        if self._show is not None and self._show.running:  # not for an evaluation outside of a training
            self._show.phase = "validation"
            self._show.update_if_due()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        for name, measure in self.measures.items():
            # Into Keras' own dictionary: its history and callbacks after this one see them too.
            logs[name] = float(measure(self.model))
        seconds = self._member.end_epoch(epoch, logs)
        self._show.phase = "training"
        self._show.update_if_due()
        self._tell_epoch(self.record, seconds)

    def on_train_end(self, logs=None):
        outcome = self._how_it_ended()
        if self._held:
            if self._show.conclude(outcome):
                self.record.outcome = outcome
        else:
            self._show.finish(outcome)

    def _fit_options(self, options):
        options = {"verbose": 0, **options}
        callbacks = [each for each in _listed(options.pop("callbacks", None)) if each is not self]
        return options | {"callbacks": [*callbacks, self]}


def _listed(callbacks):
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
