"""Inputs made to excite a part of a network: activation maximization, and the way back by a deconvolutional network."""

from __future__ import annotations

import weakref
from typing import NamedTuple

import numpy as np

from course_lib.introspection.compilation import (
    batched,
    check_inputs,
    compiled,
    find_layer,
    input_signature,
    key_of_inputs,
    scores,
    scores_instead_of_probabilities,
    traceable_scores,
)
from course_lib.introspection.graph import input_and_output, run_forward, steps_of
from course_lib.introspection.layers import activations, traceable_activations


class Maximization(NamedTuple):
    """Result of `maximize_activation`.

    Attributes
    ----------
    images : numpy.ndarray
        float32, the shape of the starting inputs.
    objective : numpy.ndarray
        float32 ``(n_steps + 1, n)``: the activation before the first step and after each one.
    is_dead : numpy.ndarray
        bool ``(n,)``: the gradient was exactly zero all the way, so the picture is the starting noise.
    """

    images: np.ndarray
    objective: np.ndarray
    is_dead: np.ndarray


def maximize_activation(
    model,
    start,
    layer=None,
    *,
    channel=None,
    position=None,
    n_steps: int = 50,
    step_size: float = 1.0,
    normalize_gradient: bool = True,
    jitter: int = 0,
    total_variation: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
    on_step=None,
) -> Maximization:
    """Change inputs by gradient ascent so that a neuron, a channel, a layer or a class answers more strongly.

    The objective is, of the output h of `layer`: with `channel` and `position` one neuron; with `channel` the mean of
    this map; with neither the mean square of the whole layer ("DeepDream"). Without `layer` it is the score of output
    `channel` before the softmax. The weights stay as they are.

    Parameters
    ----------
    model : keras.Model
    start : array_like
        Inputs to start from, shape ``(n, ...)``: noise, or images to be exaggerated. Not changed.
    layer : str, int or keras.layers.Layer, optional
        As in `find_layer`; the class scores when not given.
    channel : int or array_like of int, optional
        Map or output index; one for each starting input is allowed, so that all maps of a layer go in one call.
    position : tuple of int, optional
        Pixel of the map, for a single neuron.
    n_steps : int
        Steps of gradient ascent; 0 returns the start.
    step_size : float
        In units of the inputs if the gradient is normalised: each step then has this root mean square. Without
        normalisation the same number means something else in every layer.
    normalize_gradient : bool
        Divide the gradient of each input by its root mean square.
    jitter : int
        Largest random shift in pixels, cyclic, of the input before each step (back afterwards): against patterns that
        depend on the position.
    total_variation, l2 : float
        Weights of the penalties on the mean squared difference of neighbours, and on the mean square.
    seed : int
        Seed of the jitter.
    on_step : callable, optional
        Called with (step, images, objective) after each step, for live pictures; True ends the ascent.

    Returns
    -------
    Maximization
        Images, objective after each step, and which starts could not move.

    Raises
    ------
    ValueError
        If the layer, channel or position does not exist, or a number is out of range.

    References
    ----------
    D. Erhan et al., "Visualizing higher-layer features of a deep network", University of Montreal 1341 (2009);
    A. Mordvintsev et al., "Inceptionism", Google Research Blog (2015).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    >>> model.set_weights([np.array([[3.0, 0.0], [4.0, 1.0]])])
    >>> result = maximize_activation(model, [[0.0, 0.0]], channel=0, n_steps=2, normalize_gradient=False, step_size=0.1)
    >>> result.images
    array([[0.6, 0.8]], dtype=float32)
    >>> result.objective[:, 0].round(3)
    array([0. , 2.5, 5. ], dtype=float32)
    """
    import tensorflow as tf

    if n_steps < 0 or jitter < 0:
        raise ValueError(f"n_steps and jitter must not be negative: {n_steps}, {jitter}.")
    images = check_inputs(model, start).copy()
    channels, kind = _check_objective(model, images, layer, channel, position)
    ascend = _ascent(model, images, layer, kind, position, normalize_gradient)
    penalties = tf.constant([total_variation, l2], dtype=tf.float32)
    generator = np.random.default_rng(seed)
    axes = tuple(range(1, images.ndim - 1)) or (1,)
    history, moved = [], np.zeros(len(images), dtype=bool)
    for step in range(n_steps + 1):
        shift = tuple(int(s) for s in generator.integers(-jitter, jitter + 1, len(axes))) if jitter else None
        seen = np.roll(images, shift, axes) if shift else images
        objective, direction = (
            np.asarray(part) for part in ascend(tf.constant(seen), tf.constant(channels), penalties)
        )
        history.append(objective)
        if step == n_steps or (on_step is not None and step and on_step(step, images.copy(), objective)):
            break
        if shift:
            direction = np.roll(direction, tuple(-s for s in shift), axes)
        moved |= np.any(direction.reshape(len(images), -1) != 0, axis=1)
        images = images + np.float32(step_size) * direction
    return Maximization(images, np.stack(history), ~moved if n_steps else np.zeros(len(images), dtype=bool))


def _check_objective(model, images, layer, channel, position):
    if layer is None:
        if channel is None or position is not None:
            raise ValueError("Without a layer the objective is a class score: give channel, the output index, only.")
        n_channels, shape = scores(model, images[:1]).shape[1], ()
    else:
        output = activations(model, images[:1], layer)
        n_channels, shape = output.shape[-1], output.shape[1:-1]
        if position is not None and channel is None:
            raise ValueError("A neuron needs channel and position: give the channel too.")
    if position is not None:
        inside = len(position) == len(shape) and all(0 <= p < n for p, n in zip(position, shape, strict=True))
        if not inside:
            raise ValueError(f"position {tuple(position)} lies outside the maps of shape {shape}.")
    channels = np.broadcast_to(np.asarray(0 if channel is None else channel, dtype=np.int32), (len(images),))
    if channels.size and not (channels.min() >= 0 and channels.max() < n_channels):
        raise ValueError(f"channel must lie between 0 and {n_channels - 1}, but is {channel}.")
    kind = "layer" if channel is None else ("neuron" if position is not None else "channel")
    return np.ascontiguousarray(channels), kind


def _ascent(model, images, layer, kind, position, normalize_gradient):
    """Return the compiled function (inputs, channels, penalties) -> (objective, direction of the step)."""
    import tensorflow as tf

    found = None if layer is None else find_layer(model, layer)
    value_of = traceable_scores(model) if found is None else traceable_activations(model, found)

    # The weights of the penalties are arguments: a slider that moves them must not trace anew.
    def function(batch, channels, penalties):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            output = value_of(batch)
            if kind == "layer":
                objective = tf.reduce_mean(tf.reshape(output, (tf.shape(output)[0], -1)) ** 2, axis=1)
            else:
                maps = _pick(output, channels)
                if kind == "neuron":
                    maps = maps[(slice(None), *position)]
                objective = tf.reduce_mean(tf.reshape(maps, (tf.shape(maps)[0], -1)), axis=1)
            size = tf.reduce_mean(tf.reshape(batch, (tf.shape(batch)[0], -1)) ** 2, axis=1)
            penalised = objective - penalties[0] * _roughness(batch) - penalties[1] * size
        gradient = tape.gradient(penalised, batch, unconnected_gradients="zero")
        if normalize_gradient:
            axes = tuple(range(1, len(gradient.shape)))
            scale = tf.sqrt(tf.reduce_mean(gradient**2, axis=axes, keepdims=True))
            gradient = tf.math.divide_no_nan(gradient, scale)
        return objective, gradient

    options = (None if found is None else found.name, kind, position, normalize_gradient)
    key = ("maximize", options, key_of_inputs(model, images))
    return compiled(model, key, function, input_signature(model, images), ((None,), "int32"), ((2,), "float32"))


def _pick(output, channels):
    """Return ``output[i, ..., channels[i]]``."""
    import tensorflow as tf

    mask = tf.one_hot(channels, tf.shape(output)[-1])
    mask = tf.reshape(mask, (tf.shape(mask)[0], *[1] * (len(output.shape) - 2), -1))
    return tf.reduce_sum(output * mask, axis=-1)


def _roughness(batch):
    import tensorflow as tf

    total = 0.0
    for axis in range(1, max(len(batch.shape) - 1, 2)):
        upper = [slice(None)] * axis + [slice(1, None)]
        lower = [slice(None)] * axis + [slice(None, -1)]
        difference = batch[tuple(upper)] - batch[tuple(lower)]
        total += tf.reduce_mean(tf.reshape(difference, (tf.shape(batch)[0], -1)) ** 2, axis=1)
    return total


#: What a deconvolutional network can be made of.
_DECONVOLVABLE = {"Conv2D", "ReLU", "Activation", "MaxPooling2D", "Dropout", "ZeroPadding2D"}


def deconvnet(model, inputs, layer, channel: int, *, batch_size: int = 256) -> np.ndarray:
    """Trace the strongest activation of one feature map back to the pixels.

    All other maps and pixels of the layer are set to zero; then convolutions are transposed, maxima are put back where
    they came from (switches), and negative values are cut off behind each transposed convolution.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional; up to `layer` made of Conv2D, ReLU, MaxPooling2D, Dropout and ZeroPadding2D, and of
        layers that only copy values (see `lrp`).
    inputs : array_like
        Images, shape ``(n, height, width, n_channels)``.
    layer : str, int or keras.layers.Layer
        Whose map; as in `find_layer`.
    channel : int
        Which map.
    batch_size : int
        How many images are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape; zero outside the receptive field of the strongest activation.

    Raises
    ------
    ValueError
        If a layer on the way has no transposed counterpart, or the channel does not exist.

    References
    ----------
    M. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", ECCV (2014).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((6, 6, 1)), keras.layers.Conv2D(2, 3, activation="relu")])
    >>> deconvnet(model, np.ones((1, 6, 6, 1)), 0, channel=1).shape
    (1, 6, 6, 1)
    """
    values = check_inputs(model, inputs)
    found = find_layer(model, layer)
    way = _way_to(model, found)
    shape = activations(model, values[:1], found).shape
    if len(shape) != 4 or not 0 <= channel < shape[-1]:
        raise ValueError(f"Layer {found.name!r} of output shape {shape} has no feature map {channel}.")
    key = ("deconvnet", found.name, channel, key_of_inputs(model, values))
    function = compiled(model, key, _deconvolution(model, way, channel), input_signature(model, values))
    return batched(function, len(values), batch_size, values)


def _way_to(model, layer) -> list[str]:
    """Return the names of the layers from the input to `layer`, refusing branches and unknown kinds."""
    steps = steps_of(model)
    position = next((index for index, step in enumerate(steps) if step.operation is layer), None)
    if position is None:
        raise ValueError(f"The model never calls its layer {layer.name!r}: choose another.")
    way, wanted = [], steps[position].output
    for step in reversed(steps[: position + 1]):
        if step.output != wanted:
            continue
        activation = getattr(getattr(step.operation, "activation", None), "__name__", "relu")
        known = step.kind in _DECONVOLVABLE or step.only_copies
        if not known or len(step.inputs) != 1 or activation not in {"relu", "linear"}:
            raise ValueError(
                f"Layer {step.name!r} ({step.kind}, {activation}) has no counterpart in a deconvolutional network: "
                f"possible are {', '.join(sorted(_DECONVOLVABLE))} with ReLU; use maximize_activation or saliency."
            )
        way.append(step.name)
        wanted = step.inputs[0]
    return way[::-1]


def _deconvolution(model, way, channel):
    import tensorflow as tf

    reference = weakref.ref(model)

    def function(batch):
        model = reference()
        steps = {step.name: step for step in steps_of(model)}
        with scores_instead_of_probabilities(model):
            tensors = run_forward(model, list(steps.values()), batch)
        assert input_and_output(model)[0] == steps[way[0]].inputs[0]
        maps = tensors[steps[way[-1]].output]
        chosen = maps[..., channel]
        strongest = tf.reduce_max(chosen, axis=(1, 2), keepdims=True)
        only = tf.where(chosen == strongest, chosen, 0.0)[..., None]
        signal = only * tf.one_hot(channel, tf.shape(maps)[-1])
        for position in reversed(range(len(way))):
            step = steps[way[position]]
            layer, below = step.operation, tensors[step.inputs[0]]
            if step.kind in {"ReLU", "Activation", "Dropout"}:
                signal = tf.nn.relu(signal) if step.kind != "Dropout" else signal
                continue
            with tf.GradientTape() as tape:
                tape.watch(below)
                if step.kind == "Conv2D":
                    # The transposed convolution is the gradient of the linear part.
                    output = tf.nn.convolution(
                        below, layer.kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate
                    )
                else:
                    output = layer(below)
            signal = tape.gradient(output, below, output_gradients=signal)
            # What a layer of copies adds up belongs to one pixel: its parts are not cut off one by one.
            copies_follow = position > 0 and steps[way[position - 1]].only_copies
            if (step.kind == "Conv2D" or step.only_copies) and not copies_follow:
                signal = tf.nn.relu(signal)
        return signal

    return function
