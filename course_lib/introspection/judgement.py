"""How far an explanation can be trusted: sums, deletion curves, randomised weights, agreement of methods."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.introspection.compilation import check_inputs, check_target, scores
from course_lib.introspection.gradients import broadcast_baseline


def _flat(attributions) -> np.ndarray:
    array = np.asarray(attributions, dtype=np.float64)
    return array.reshape(len(array), -1)


class Completeness(NamedTuple):
    """Result of `completeness`: ``attributed`` and ``expected`` (n,), and ``relative_error`` (n,)."""

    attributed: np.ndarray
    expected: np.ndarray
    relative_error: np.ndarray


def completeness(model, inputs, target, attributions, *, baseline=None) -> Completeness:
    """Compare the sum of the attributions with what they should add up to.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, ...)``.
    target : int or array_like of int
        Output index, or one for each input.
    attributions : array_like
        The inputs' shape.
    baseline : float or array_like, optional
        If given (integrated gradients, Shapley values) the sum should be ``score(inputs) - score(baseline)``;
        otherwise (relevance propagation) the score itself.

    Returns
    -------
    Completeness
        The error is relative to the largest expected size, so that a score near zero does not blow it up.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from course_lib.introspection import input_x_gradient
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    >>> points = np.array([[1.0, 2.0]])
    >>> bool(completeness(model, points, 0, input_x_gradient(model, points, 0)).relative_error[0] < 1e-5)
    True
    """
    values = check_inputs(model, inputs)
    _check_shape(values, attributions)
    result = scores(model, values)
    targets = check_target(target, len(values), result.shape[1])
    rows = np.arange(len(values))
    expected = result[rows, targets].astype(np.float64)
    if baseline is not None:
        expected = expected - scores(model, broadcast_baseline(baseline, values).copy())[rows, targets]
    attributed = _flat(attributions).sum(axis=1)
    largest = np.abs(expected).max() if len(expected) else 1.0
    return Completeness(attributed, expected, np.abs(attributed - expected) / max(largest, 1e-12))


def _check_shape(values, attributions):
    if np.shape(attributions) != values.shape:
        raise ValueError(f"attributions must have the inputs' shape {values.shape}, not {np.shape(attributions)}.")


class Curve(NamedTuple):
    """Result of `deletion_curve` and `insertion_curve`.

    Attributes
    ----------
    fraction : numpy.ndarray
        Share of the elements changed, ``(n_steps + 1,)`` from 0 to 1.
    score : numpy.ndarray
        Mean score of the target over the inputs, ``(n_steps + 1,)``.
    area : float
        Area under the curve of the score, rescaled so that the untouched inputs count 1 and the baseline 0: low is good
        for deletion, high for insertion; an order by chance lies in between.
    """

    fraction: np.ndarray
    score: np.ndarray
    area: float


def deletion_curve(model, inputs, target, attributions, *, baseline=0.0, n_steps: int = 20) -> Curve:
    """Replace the elements by a baseline, most relevant first, and watch the score.

    Parameters
    ----------
    model, inputs, target, attributions
        As in `completeness`.
    baseline : float or array_like
        What replaces an element, broadcast to the inputs.
    n_steps : int
        Points of the curve after the first.

    Returns
    -------
    Curve

    References
    ----------
    V. Petsiuk, A. Das, K. Saenko, "RISE: randomized input sampling for explanation", BMVC (2018).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [1.0]]), np.zeros(1)])
    >>> deletion_curve(model, [[1.0, 1.0]], 0, [[3.0, 1.0]], n_steps=2).score
    array([4., 1., 0.])
    """
    values = check_inputs(model, inputs)
    return _curve(model, values, target, attributions, values, broadcast_baseline(baseline, values), n_steps)


def insertion_curve(model, inputs, target, attributions, *, baseline=0.0, n_steps: int = 20) -> Curve:
    """Start from the baseline, put the elements in, most relevant first, and watch the score.

    Parameters
    ----------
    model, inputs, target, attributions, baseline, n_steps
        As in `deletion_curve`.

    Returns
    -------
    Curve

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [1.0]]), np.zeros(1)])
    >>> insertion_curve(model, [[1.0, 1.0]], 0, [[3.0, 1.0]], n_steps=2).score
    array([0., 3., 4.])
    """
    values = check_inputs(model, inputs)
    return _curve(model, values, target, attributions, broadcast_baseline(baseline, values), values, n_steps)


def _curve(model, values, target, attributions, before, after, n_steps):
    _check_shape(values, attributions)
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, not {n_steps}.")
    shape = values.shape
    order = np.argsort(-_flat(attributions), axis=1, kind="stable")
    changed = before.reshape(len(values), -1).copy()
    final = after.reshape(len(values), -1)
    targets = check_target(target, len(values), scores(model, values[:1]).shape[1])
    rows = np.arange(len(values))
    edges = np.linspace(0, changed.shape[1], n_steps + 1).round().astype(int)
    means = []
    for first, stop in zip([0, *edges[:-1]], edges, strict=True):
        chosen = order[:, first:stop]
        np.put_along_axis(changed, chosen, np.take_along_axis(final, chosen, axis=1), axis=1)
        means.append(scores(model, changed.reshape(shape))[rows, targets].mean(dtype=np.float64))
    fraction, score = edges / edges[-1], np.array(means)
    untouched, nothing = (score[-1], score[0]) if after is values else (score[0], score[-1])
    span = untouched - nothing
    area = float(np.trapezoid((score - nothing) / span, fraction)) if abs(span) > 1e-12 else float("nan")
    return Curve(fraction, score, area)


def randomized_weights(model, method, inputs, target, *, seed: int = 0, **options) -> dict[str, float]:
    """Replace the weights by noise, layer after layer from the output down, and compare the explanations.

    An explanation that hardly changes explains the inputs, not the network.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed. Its weights are replaced while this runs and put back at the end, also
        after an error or an interruption.
    method : callable
        ``method(model, inputs, target, **options)`` -> attributions.
    inputs, target
        As in `completeness`.
    seed : int
        Seed of the noise.
    **options
        Passed to the method.

    Returns
    -------
    dict
        Layer name -> mean rank correlation (Spearman, of the absolute values) of the explanation with the original one
        after this layer and all above it have been randomised; in the order of randomisation.

    References
    ----------
    J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS (2018).

    Examples
    --------
    >>> import keras, numpy as np
    >>> from course_lib.introspection import saliency
    >>> layers = [keras.layers.Input((9,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)]
    >>> list(randomized_weights(keras.Sequential(layers), saliency, np.eye(9), 0).values())[-1] < 0.9
    True
    """
    original = np.abs(_flat(method(model, inputs, target, **options)))
    generator = np.random.default_rng(seed)
    result = {}
    # A subclassed model cannot be cloned, and what is compiled already serves the model itself.
    trained = model.get_weights()
    try:
        for layer in reversed(model.layers):
            if not layer.trainable_weights:
                continue
            for weight in layer.trainable_weights:
                values = np.asarray(weight)
                # The spread of the trained weights is kept: only what was learned goes.
                spread = values.std() if values.std() > 0 else 0.1
                weight.assign(generator.normal(values.mean(), spread, values.shape))
            changed = np.abs(_flat(method(model, inputs, target, **options)))
            result[layer.name] = float(np.nanmean(_rank_correlations(original, changed)))
    finally:
        model.set_weights(trained)
    return result


def _rank_correlations(first, second) -> np.ndarray:
    from scipy.stats import rankdata

    first, second = (rankdata(array, axis=1) for array in (first, second))
    first, second = (array - array.mean(axis=1, keepdims=True) for array in (first, second))
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return np.divide((first * second).sum(axis=1), scale, out=np.full(len(first), np.nan), where=scale > 0)


def agreement(attributions: dict) -> tuple[list[str], np.ndarray]:
    """Return the rank correlations between methods, averaged over the inputs.

    Parameters
    ----------
    attributions : dict
        Method name -> attributions, all of the same shape ``(n, ...)``.

    Returns
    -------
    names : list of str
    matrix : numpy.ndarray
        ``(n_methods, n_methods)`` mean Spearman correlation; nan where a map is constant.

    Examples
    --------
    >>> names, matrix = agreement({"a": [[1.0, 2.0, 3.0]], "b": [[10.0, 30.0, 20.0]]})
    >>> float(matrix[0, 1])
    0.5
    """
    names = list(attributions)
    maps = [_flat(attributions[name]) for name in names]
    if len({array.shape for array in maps}) > 1:
        shapes = ", ".join(f"{name} {np.shape(attributions[name])}" for name in names)
        raise ValueError(f"All attributions must have the same shape: {shapes}.")
    matrix = np.array([[np.nanmean(_rank_correlations(one, other)) for other in maps] for one in maps])
    return names, matrix


def mass_inside(attributions, region) -> np.ndarray:
    """Return the share of the positive attribution that lies inside a known region, for each input.

    Parameters
    ----------
    attributions : array_like
        Shape ``(n, ...)``.
    region : array_like of bool
        The same shape, or broadcast to it: where the cause was planted.

    Returns
    -------
    numpy.ndarray
        Between 0 and 1, shape ``(n,)``; 0 where nothing is positive.

    Examples
    --------
    >>> mass_inside([[3.0, 1.0, -5.0]], [[True, False, False]])
    array([0.75])
    """
    positive = np.maximum(np.asarray(attributions, dtype=np.float64), 0)
    inside = _flat(np.where(np.broadcast_to(np.asarray(region, dtype=bool), positive.shape), positive, 0)).sum(axis=1)
    whole = _flat(positive).sum(axis=1)
    return np.divide(inside, whole, out=np.zeros(len(whole)), where=whole > 0)
