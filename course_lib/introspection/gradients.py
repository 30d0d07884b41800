"""Attribution by gradients of a score with respect to the inputs.

All methods share one signature, ``method(model, inputs, target, **options)``: `inputs` of shape ``(n, ...)``,
`target` an output index or one for each input, result of the inputs' shape. Scores are taken before the softmax:
a confident softmax has almost no gradient left.
"""

from __future__ import annotations

import math

import numpy as np

from course_lib.introspection.compilation import (
    batched,
    check_inputs,
    check_target,
    compiled,
    find_layer,
    input_signature,
    key_of_inputs,
    scores,
    traceable_scores,
)
from course_lib.introspection.layers import activations, traceable_activations


def _score_gradient(model, values):
    """Return the compiled function (inputs, target) -> gradient of the target's score, of the inputs' shape."""
    import tensorflow as tf

    score_of = traceable_scores(model)

    def function(batch, target):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            chosen = tf.gather(score_of(batch), target, axis=1, batch_dims=1)
        return tape.gradient(chosen, batch, unconnected_gradients="zero")

    key = ("score gradient", key_of_inputs(model, values))
    return compiled(model, key, function, input_signature(model, values), ((None,), "int32"))


def _checked(model, inputs, target):
    values = check_inputs(model, inputs)
    # One input tells the number of outputs, and whether a softmax hides in the model.
    n_outputs = scores(model, values[:1]).shape[1]
    return values, check_target(target, len(values), n_outputs)


def saliency(model, inputs, target, *, batch_size: int = 256) -> np.ndarray:
    """Return the gradient of a score with respect to the inputs.

    Its sign says whether raising an input raises (positive) or lowers (negative) the score, its size how strongly.
    It says how the prediction would change, not how it came about.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, ...)``.
    target : int or array_like of int
        Output index, or one for each input, shape ``(n,)``.
    batch_size : int
        How many inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, in units of score per unit of input; signed.

    References
    ----------
    K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", arXiv:1312.6034 (2013).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    >>> model.set_weights([np.array([[1.0, -3.0], [2.0, 4.0]]), np.zeros(2)])
    >>> saliency(model, [[0.5, 0.5]], 1)
    array([[-3.,  4.]], dtype=float32)
    """
    values, targets = _checked(model, inputs, target)
    return batched(_score_gradient(model, values), len(values), batch_size, values, targets)


def activation_gradient(model, inputs, layer, channel: int, position=None, *, batch_size: int = 256) -> np.ndarray:
    """Return the gradient of a unit inside the network with respect to the inputs.

    Where it is zero the unit does not listen, or is switched off (a ReLU below zero has no gradient at all).

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, ...)``.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.
    channel : int
        Last index of the layer's output.
    position : tuple of int, optional
        Its other indices; the mean over the whole map when not given.
    batch_size : int
        How many inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, in units of the activation per unit of input.

    Raises
    ------
    ValueError
        If the layer, channel or position does not exist.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2)])
    >>> model.set_weights([np.array([[1.0, -3.0], [2.0, 4.0]]), np.zeros(2)])
    >>> activation_gradient(model, [[0.5, 0.5]], 0, 1)
    array([[-3.,  4.]], dtype=float32)
    """
    import tensorflow as tf

    values = check_inputs(model, inputs)
    found = find_layer(model, layer)
    shape = activations(model, values[:1], found).shape[1:]
    if not 0 <= channel < shape[-1]:
        raise ValueError(f"channel must lie between 0 and {shape[-1] - 1}, not {channel}.")
    weights = np.zeros(shape, dtype=np.float32)
    if position is None:
        weights[..., channel] = 1 / math.prod(shape[:-1])
    else:
        inside = len(position) == len(shape) - 1 and all(0 <= p < n for p, n in zip(position, shape, strict=False))
        if not inside:
            raise ValueError(f"position {tuple(position)} lies outside the maps of shape {shape[:-1]}.")
        weights[(*position, channel)] = 1
    activation_of = traceable_activations(model, found)

    def function(batch, weights):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            chosen = activation_of(batch) * weights
        return tape.gradient(chosen, batch, unconnected_gradients="zero")

    # Which unit is an argument, not part of the key: one trace serves all units of a layer.
    key = ("activation gradient", found.name, shape, key_of_inputs(model, values))
    gradient = compiled(model, key, function, input_signature(model, values), (shape, "float32"))
    return batched(lambda batch: gradient(batch, tf.constant(weights)), len(values), batch_size, values)


def smoothgrad(
    model, inputs, target, *, n_samples: int = 25, noise_level: float = 0.15, seed: int = 0, batch_size: int = 256
) -> np.ndarray:
    """Return the saliency averaged over copies of each input with Gaussian noise.

    Parameters
    ----------
    model, inputs, target, batch_size
        As in `saliency`.
    n_samples : int
        Noisy copies of each input.
    noise_level : float
        Standard deviation of the noise in units of the value range (maximum minus minimum) of each input.
    seed : int
        Seed of the noise.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape.

    Raises
    ------
    ValueError
        If `n_samples` is below 1 or `noise_level` is negative.

    References
    ----------
    D. Smilkov et al., "SmoothGrad: removing noise by adding noise", arXiv:1706.03825 (2017).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> bool(np.allclose(smoothgrad(model, [[1.0, 2.0]], 0), saliency(model, [[1.0, 2.0]], 0)))  # a linear model
    True
    """
    if n_samples < 1 or noise_level < 0:
        raise ValueError(f"n_samples must be at least 1 and noise_level not negative: {n_samples}, {noise_level}.")
    values, targets = _checked(model, inputs, target)
    axes = tuple(range(1, values.ndim))
    spread = noise_level * (values.max(axis=axes, keepdims=True) - values.min(axis=axes, keepdims=True))
    generator = np.random.default_rng(seed)
    gradient = _score_gradient(model, values)
    total = np.zeros(values.shape, dtype=np.float64)
    for _ in range(n_samples):
        noise = generator.standard_normal(values.shape, dtype=np.float32) * spread
        total += batched(gradient, len(values), batch_size, values + noise, targets)
    return (total / n_samples).astype(np.float32)


def input_x_gradient(model, inputs, target, *, batch_size: int = 256) -> np.ndarray:
    """Return the inputs times the gradient of the score: the first-order share of each input in the score.

    For a network of ReLUs without biases the shares add up to the score exactly.

    Parameters
    ----------
    model, inputs, target, batch_size
        As in `saliency`.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, in units of the score.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[2.0], [3.0]]), np.zeros(1)])
    >>> input_x_gradient(model, [[5.0, -1.0]], 0)
    array([[10., -3.]], dtype=float32)
    """
    values = check_inputs(model, inputs)
    return values * saliency(model, values, target, batch_size=batch_size)


def integrated_gradients(
    model, inputs, target, *, baseline=0.0, n_steps: int = 50, batch_size: int = 256
) -> np.ndarray:
    """Return integrated gradients: each input's share of the score difference to a baseline.

    The gradient is averaged along the straight line from the baseline to the input (midpoint rule) and multiplied by
    the way: the shares of one input add up to ``score(input) - score(baseline)`` (completeness).

    Parameters
    ----------
    model, inputs, target, batch_size
        As in `saliency`; `batch_size` counts points on the paths.
    baseline : float or array_like
        What counts as "nothing there"; broadcast to the inputs. Zero is meaningless for spins, a mean may be better.
    n_steps : int
        Points on each path.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, in units of the score.

    Raises
    ------
    ValueError
        If `n_steps` is below 1 or the baseline does not fit the inputs.

    References
    ----------
    M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", ICML (2017).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[2.0], [3.0]]), np.ones(1)])
    >>> integrated_gradients(model, [[5.0, 1.0]], 0, baseline=[[1.0, 0.0]])
    array([[8., 3.]], dtype=float32)
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, not {n_steps}.")
    values, targets = _checked(model, inputs, target)
    start = broadcast_baseline(baseline, values)
    gradient = _score_gradient(model, values)
    fractions = ((np.arange(n_steps, dtype=np.float32) + 0.5) / n_steps).reshape(-1, *[1] * (values.ndim - 1))
    total = np.zeros(values.shape, dtype=np.float64)
    # Whole paths of as many inputs as fit into a batch: few large calls cost less than many small ones.
    together = max(1, batch_size // n_steps)
    for first in range(0, len(values), together):
        stop = min(first + together, len(values))
        way = values[first:stop] - start[first:stop]
        points = start[first:stop, None] + fractions[None] * way[:, None]
        flat = points.reshape(-1, *values.shape[1:])
        found = batched(gradient, len(flat), batch_size, flat, np.repeat(targets[first:stop], n_steps))
        total[first:stop] = way * found.reshape(points.shape).mean(axis=1, dtype=np.float64)
    return total.astype(np.float32)


def broadcast_baseline(baseline, values) -> np.ndarray:
    """Return the baseline with the inputs' shape, float32.

    Raises
    ------
    ValueError
        If it does not fit.
    """
    array = np.asarray(baseline, dtype=np.float32)
    try:
        return np.broadcast_to(array, values.shape)
    except ValueError:
        raise ValueError(
            f"baseline of shape {array.shape} does not fit inputs of shape {values.shape}: "
            "give a number, one input, or one baseline for each input."
        ) from None
