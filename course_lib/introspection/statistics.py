"""What layers do over a whole data set: dead units, favourite examples, readable quantities, receptive fields."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.introspection.compilation import (
    batched,
    check_inputs,
    compiled,
    find_layer,
    input_signature,
    key_of_inputs,
)
from course_lib.introspection.graph import input_and_output, steps_of
from course_lib.introspection.layers import activations, traceable_activations


def dead_units(model, inputs, layer, *, threshold: float = 0.0) -> np.ndarray:
    """Tell which units of a layer stay at or below a threshold for every input (and every pixel).

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, ...)``: a sample of the data that the network is for.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.
    threshold : float
        For ReLU: 0.

    Returns
    -------
    numpy.ndarray
        bool, shape ``(n_units,)``, the last axis of the layer's output.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(2, activation="relu")])
    >>> model.set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    >>> dead_units(model, [[1.0], [2.0]], 0)
    array([False,  True])
    """
    output = activations(model, inputs, layer)
    return output.reshape(-1, output.shape[-1]).max(axis=0) <= threshold


class Examples(NamedTuple):
    """Result of `most_activating`: ``indices`` (n,) into the inputs, ``values`` (n,), ``positions`` (n, n_axes)."""

    indices: np.ndarray
    values: np.ndarray
    positions: np.ndarray


def most_activating(model, inputs, layer, channel: int, *, n_examples: int = 9) -> Examples:
    """Return the inputs that excite one unit or feature map most, and where.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, ...)``.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.
    channel : int
        Unit or map.
    n_examples : int
        How many; at most n.

    Returns
    -------
    Examples
        Strongest first; ``positions`` are the pixels of the maximum in the map (no columns for a dense layer).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[1.0]]), np.zeros(1)])
    >>> most_activating(model, [[3.0], [9.0], [5.0]], 0, 0, n_examples=2).indices
    array([1, 2])
    """
    output = activations(model, inputs, layer)
    if not 0 <= channel < output.shape[-1]:
        raise ValueError(f"channel must lie between 0 and {output.shape[-1] - 1}, not {channel}.")
    maps = output[..., channel].reshape(len(output), -1)
    strongest = maps.max(axis=1)
    order = np.argsort(-strongest, kind="stable")[:n_examples]
    places = np.unravel_index(maps[order].argmax(axis=1), output.shape[1:-1]) if output.ndim > 2 else ()
    positions = np.stack(places, axis=1) if len(places) else np.zeros((len(order), 0), dtype=int)
    return Examples(order, strongest[order], positions)


class Probe(NamedTuple):
    """Result of `linear_probe`: ``score`` on held-out inputs (R squared, or accuracy for classes) and the ``model``."""

    score: float
    model: object


def linear_probe(model, inputs, values, layer, *, test_fraction: float = 0.3, seed: int = 0) -> Probe:
    """Tell how well a quantity can be read from a layer by a linear model.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, ...)``.
    values : array_like
        Shape ``(n,)``: floats are fitted by ridge regression, integers, booleans and strings by logistic regression.
    layer : str, int or keras.layers.Layer
        As in `find_layer`; feature maps are averaged over their pixels.
    test_fraction : float
        Share of the inputs on which the score is taken.
    seed : int
        Seed of the split.

    Returns
    -------
    Probe
        Held-out R squared or accuracy, and the fitted scikit-learn pipeline.

    References
    ----------
    G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", arXiv:1610.01644 (2016).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    >>> points = np.random.default_rng(0).normal(size=(200, 2))
    >>> round(linear_probe(model, points, points[:, 0], 0).score, 2)
    1.0
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    wanted = np.asarray(values)
    output = activations(model, inputs, layer)
    if wanted.shape != (len(output),):
        raise ValueError(
            f"values must have one entry for each of the {len(output)} inputs, not the shape {wanted.shape}."
        )
    features = output.reshape(len(output), -1, output.shape[-1]).mean(axis=1)
    regression = wanted.dtype.kind == "f"
    fitted = make_pipeline(StandardScaler(), Ridge(1e-3) if regression else LogisticRegression(max_iter=1000))
    split = train_test_split(features, wanted, test_size=test_fraction, random_state=seed)
    fitted.fit(split[0], split[2])
    return Probe(float(fitted.score(split[1], split[3])), fitted)


def pixel_correlation(inputs, outputs) -> np.ndarray:
    """Return Pearson's correlation of each input element with an output, over the inputs.

    Parameters
    ----------
    inputs : array_like
        Shape ``(n, ...)``.
    outputs : array_like
        Shape ``(n,)``: a score, a probability, or an activation of the network.

    Returns
    -------
    numpy.ndarray
        float32, shape ``inputs.shape[1:]``; 0 where an element never changes.

    References
    ----------
    L. de Oliveira et al., "Jet-images: deep learning edition", JHEP 07 (2016) 069.

    Examples
    --------
    >>> pixel_correlation([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], [10.0, 20.0, 30.0])
    array([1., 0.], dtype=float32)
    """
    values, wanted = np.asarray(inputs, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if wanted.shape != (len(values),):
        raise ValueError(f"outputs must have one entry for each of the {len(values)} inputs, not {wanted.shape}.")
    values = values - values.mean(axis=0)
    wanted = wanted - wanted.mean()
    covariance = np.tensordot(wanted, values, axes=1)
    scale = np.sqrt((wanted**2).sum() * (values**2).sum(axis=0))
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0).astype(np.float32)


def filtered_class_difference(model, inputs, labels, layer) -> np.ndarray:
    """Return the mean feature maps of class 1 minus those of class 0: what each filter sees more of in the signal.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Images, shape ``(n, height, width, n_channels)``.
    labels : array_like
        Shape ``(n,)``, 0 or 1, both present.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(n_filters, map_height, map_width)``.

    References
    ----------
    L. de Oliveira et al., "Jet-images: deep learning edition", JHEP 07 (2016) 069.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((4, 4, 1)), keras.layers.Conv2D(3, 2)])
    >>> filtered_class_difference(model, np.ones((6, 4, 4, 1)), [0, 1, 0, 1, 0, 1], 0).shape
    (3, 3, 3)
    """
    wanted = np.asarray(labels)
    if set(np.unique(wanted)) != {0, 1} or wanted.shape != (len(np.asarray(inputs)),):
        raise ValueError(f"labels must be 0 or 1, one for each input, both present; seen {np.unique(wanted)[:5]}.")
    maps = activations(model, inputs, layer)
    if maps.ndim != 4:
        raise ValueError(f"Layer {layer!r} gives the shape {maps.shape}, no feature maps: choose a convolution.")
    return np.moveaxis(maps[wanted == 1].mean(axis=0) - maps[wanted == 0].mean(axis=0), -1, 0).astype(np.float32)


class ReceptiveField(NamedTuple):
    """Result of `receptive_field`.

    Attributes
    ----------
    size : tuple of int
        Theoretical field (height, width) in pixels of the input.
    stride : tuple of int
        Distance in input pixels of neighbouring units.
    effective : numpy.ndarray or None
        float32 ``(height, width)``: mean absolute gradient of the central unit with respect to each pixel, summing
        to 1; None without inputs.
    """

    size: tuple
    stride: tuple
    effective: np.ndarray | None


#: Layers that move nothing in space.
_POINTWISE = {
    *("ReLU", "LeakyReLU", "PReLU", "ELU", "Activation", "Softmax", "Dropout", "BatchNormalization"),
    *("ZeroPadding2D", "SpatialDropout2D", "LayerNormalization", "Add", "Concatenate"),
}


def receptive_field(model, layer, inputs=None) -> ReceptiveField:
    """Return how far a unit of a layer sees: in theory, and by gradients on given inputs.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional, two-dimensional convolutions and poolings up to `layer`; of several branches the
        largest field counts.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.
    inputs : array_like, optional
        Images for the effective field, shape ``(n, height, width, n_channels)``.

    Returns
    -------
    ReceptiveField

    References
    ----------
    W. Luo et al., "Understanding the effective receptive field in deep convolutional neural networks", NeurIPS (2016).

    Examples
    --------
    >>> import keras
    >>> layers = [keras.layers.Input((32, 32, 1)), keras.layers.Conv2D(4, 3), keras.layers.MaxPooling2D(2),
    ...           keras.layers.Conv2D(4, 3)]
    >>> receptive_field(keras.Sequential(layers), 2)[:2]
    ((8, 8), (2, 2))
    """
    found = find_layer(model, layer)
    fields: dict = {}
    for step in steps_of(model):
        before = [fields.get(identity, ((1, 1), (1, 1))) for identity in step.inputs]
        size = tuple(max(field[0][axis] for field in before) for axis in (0, 1))
        stride = tuple(max(field[1][axis] for field in before) for axis in (0, 1))
        kernel, step_stride, dilation = _window(step)
        size = tuple(r + (k - 1) * d * s for r, k, d, s in zip(size, kernel, dilation, stride, strict=True))
        stride = tuple(a * b for a, b in zip(stride, step_stride, strict=True))
        fields[step.output] = (size, stride)
        if step.operation is found:
            effective = None if inputs is None else _effective_field(model, check_inputs(model, inputs), found)
            return ReceptiveField(size, stride, effective)
    raise ValueError(f"The model never calls its layer {found.name!r}: choose another.")


def receptive_window(model, layer, position, *, image_size=None) -> tuple[int, int, int, int]:
    """Return which pixels of the input one unit of a layer can see.

    Parameters
    ----------
    model : keras.Model
        As in `receptive_field`.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.
    position : tuple of int
        Row and column of the unit in its map.
    image_size : tuple of int, optional
        Height and width of the input in pixels, where the model leaves them free.

    Returns
    -------
    row, column, height, width : int
        The rectangle around all pixels that the unit depends on, cut at the border of the image.

    Raises
    ------
    ValueError
        As `receptive_field`; also if the size of the input is unknown.

    Examples
    --------
    >>> import keras
    >>> layers = [keras.layers.Input((32, 32, 1)), keras.layers.Conv2D(4, 3, padding="same"),
    ...           keras.layers.MaxPooling2D(2)]
    >>> receptive_window(keras.Sequential(layers), 1, (0, 5))
    (0, 9, 3, 4)
    """
    found = find_layer(model, layer)
    steps = steps_of(model)
    first = input_and_output(model)[0]
    shape = tuple(image_size or model.inputs[0].shape[1:3])
    if len(shape) != 2 or None in shape:
        raise ValueError(f"The model takes images of the size {shape}: give image_size, height and width in pixels.")
    sizes, way = {first: shape}, []
    for step in steps:
        window = _window(step)
        before, after = _padding(step, window, sizes[step.inputs[0]])
        extents = zip(sizes[step.inputs[0]], *window, before, after, strict=True)
        sizes[step.output] = tuple((n + b + a - (k - 1) * d - 1) // s + 1 for n, k, s, d, b, a in extents)
        way.append((step, window, before))
        if step.operation is found:
            break
    else:
        raise ValueError(f"The model never calls its layer {found.name!r}: choose another.")
    if len(position) != 2 or not all(0 <= p < n for p, n in zip(position, sizes[step.output], strict=True)):
        raise ValueError(f"position {tuple(position)} lies outside the maps of shape {sizes[step.output]}.")
    # Sets of indices, not only their ends: a dilated filter at the border may reach less far than its extent.
    seen = {step.output: [{int(p)} for p in position]}
    for step, window, before in reversed(way):
        if step.output not in seen:  # another branch
            continue
        for identity in step.inputs:
            known = seen.setdefault(identity, [set(), set()])
            for indices, reached, n, k, s, d, b in zip(
                known, seen[step.output], sizes[identity], *window, before, strict=True
            ):
                indices.update(i * s - b + j * d for i in reached for j in range(k) if 0 <= i * s - b + j * d < n)
    rows, columns = seen[first]
    if not rows or not columns:
        raise ValueError(f"The unit at {tuple(position)} of layer {found.name!r} sees nothing but padding.")
    return min(rows), min(columns), max(rows) - min(rows) + 1, max(columns) - min(columns) + 1


def _padding(step, window, size):
    """Return the pixels added before and behind, along both axes (Keras' rule for ``padding="same"``)."""
    if step.only_copies:
        raise ValueError(
            f"Layer {step.name!r} ({step.kind}) copies pixels in a way that is not known here: use activation_gradient "
            "to see which pixels move the unit."
        )
    if step.kind == "ZeroPadding2D":
        return tuple(zip(*step.operation.padding, strict=True))
    if getattr(step.operation, "padding", "valid") != "same":
        return (0, 0), (0, 0)
    extents = zip(size, *window, strict=True)
    missing = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) for n, k, s, d in extents]
    return tuple(m // 2 for m in missing), tuple(m - m // 2 for m in missing)


def _window(step):
    layer = step.operation
    if step.kind in {"Conv2D", "DepthwiseConv2D", "SeparableConv2D"}:
        return layer.kernel_size, layer.strides, layer.dilation_rate
    if step.kind in {"MaxPooling2D", "AveragePooling2D"}:
        return layer.pool_size, layer.strides, (1, 1)
    if step.kind in _POINTWISE or step.only_copies:
        return (1, 1), (1, 1), (1, 1)
    raise ValueError(
        f"Layer {step.name!r} ({step.kind}) has no receptive field here: choose a layer with only convolutions and "
        "poolings in front of it."
    )


def _effective_field(model, values, layer):
    import tensorflow as tf

    activation_of = traceable_activations(model, layer)

    def function(batch):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            maps = activation_of(batch)
            centre = tf.reduce_sum(maps[:, tf.shape(maps)[1] // 2, tf.shape(maps)[2] // 2], axis=-1)
        return tf.reduce_sum(tf.abs(tape.gradient(centre, batch)), axis=-1)

    key = ("effective field", layer.name, key_of_inputs(model, values))
    gradients = batched(compiled(model, key, function, input_signature(model, values)), len(values), 256, values)
    mean = gradients.mean(axis=0)
    return (mean / mean.sum()).astype(np.float32) if mean.sum() > 0 else mean.astype(np.float32)
