"""Several compiled models trained in step, each on the same batches: a race of optimisers or of architectures."""

from __future__ import annotations

import math


def check_race(models, x, y, *, epochs, batch_size):
    """Say what is wrong with a race before it begins.

    Raises
    ------
    ValueError
        If there is no model, a model is not compiled, appears twice, or sizes do not fit.
    """
    if not models:
        raise ValueError("a race needs models: {'SGD': model_a, 'Adam': model_b}.")
    for name, model in models.items():
        if not getattr(model, "compiled", False):
            raise ValueError(f"the model {name!r} is not compiled: call its compile with optimiser and loss.")
    if len({id(model) for model in models.values()}) < len(models):
        raise ValueError("a model appears twice: keras.models.clone_model makes a second one.")
    if len({id(model.optimizer) for model in models.values()}) < len(models):
        raise ValueError("two models share one optimiser: give each compile an optimiser of its own.")
    sizes = {len(leaf) for leaf in _leaves((x, y))}
    if len(sizes) != 1:
        raise ValueError(f"x and y must have the same number of samples, not {sorted(sizes)}.")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not (isinstance(value, int) and value > 0):
            raise ValueError(f"{name} must be a whole number above 0, not {value!r}.")


def share_start(models):
    """Give models whose weights have equal shapes the weights of the first of them.

    Parameters
    ----------
    models : list of keras.Model
        Built models.
    """
    first = {}
    for model in models:
        shapes = tuple(tuple(weight.shape) for weight in model.weights)
        leader = first.setdefault(shapes, model)
        if leader is not model:
            model.set_weights(leader.get_weights())


def train_in_step(run, models, x, y, *, epochs, batch_size, validation_data, seed, measures):
    """Train models batch by batch in turn, each on the same batches in the same order.

    Parameters
    ----------
    run : Run
        Takes the values.
    models : dict of str to keras.Model
        Compiled models by the names of `run`.
    x, y : numpy.ndarray or nested structures of them
        Training data.
    epochs, batch_size : int
        As for ``model.fit``.
    validation_data : tuple of (x, y) or None
        Measured after every epoch.
    seed : int
        Of the order of the samples.
    measures : dict of str to callable
        Functions of a model, called after every epoch.
    """
    import keras
    import numpy as np

    n_samples = len(_leaves(x)[0])
    generator = np.random.default_rng(seed)
    racing = dict(models)
    for _ in range(epochs):
        order = generator.permutation(n_samples)
        for start in range(0, n_samples, batch_size):
            chosen = order[start : start + batch_size]
            inputs, targets = keras.tree.map_structure(lambda values, chosen=chosen: values[chosen], (x, y))
            batches = {}
            for name, model in list(racing.items()):
                batches[name] = {**model.train_on_batch(inputs, targets, return_dict=True), "samples": len(chosen)}
                if run.stop_at_nan and not math.isfinite(batches[name]["loss"]):
                    del racing[name]  # its weights are lost; the others go on
            run.round(batches)
        values = {}
        for name, model in racing.items():
            values[name] = {}
            if validation_data is not None:
                found = model.evaluate(*validation_data, batch_size=max(256, batch_size), verbose=0, return_dict=True)
                values[name] = {f"val_{key}": value for key, value in found.items()}
            values[name] |= {key: float(measure(model)) for key, measure in measures.items()}
        run.epoch(**values)


def _leaves(structure):
    import keras

    return keras.tree.flatten(structure)
