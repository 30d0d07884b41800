"""Where in an image the evidence for a score lies: class activation maps and Grad-CAM."""

from __future__ import annotations

import weakref

import numpy as np

from course_lib.introspection.compilation import (
    batched,
    check_inputs,
    check_target,
    compiled,
    find_layer,
    input_signature,
    key_of_inputs,
    recorded,
    scores,
    traceable_scores,
)
from course_lib.introspection.layers import activations


def class_activation_map(model, inputs, target, *, upsample: bool = True, batch_size: int = 256) -> np.ndarray:
    r"""Return the class activation map of networks that end in global average pooling and one dense layer.

    .. math:: M_k(i) = \sum_c W_{k,c} h_{i,c} + b_k, \qquad \frac{1}{n_\mathrm{pix}} \sum_i M_k(i) = s_k

    with the last feature maps h: the mean over the pixels of the map is the score before the softmax.

    Parameters
    ----------
    model : keras.Model
        Its last three layers (dropout aside) are a convolution's output, GlobalAveragePooling2D and Dense.
    inputs : array_like
        Images, shape ``(n, height, width, n_channels)``.
    target : int or array_like of int
        Output index, or one for each input.
    upsample : bool
        Bilinear interpolation to the size of the inputs, the same map in every channel (the mean is then kept only
        approximately). Otherwise the map has the size of the feature maps.
    batch_size : int
        How many inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, or ``(n, map_height, map_width)`` without upsampling; in units of the score.

    Raises
    ------
    ValueError
        If the model has no global average pooling in front of its last dense layer.

    References
    ----------
    B. Zhou et al., "Learning deep features for discriminative localization", CVPR (2016).

    Examples
    --------
    >>> import keras, numpy as np
    >>> layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu"),
    ...           keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax")]
    >>> model = keras.Sequential(layers)
    >>> images = np.random.default_rng(0).normal(size=(3, 8, 8, 1))
    >>> maps = class_activation_map(model, images, 1, upsample=False)
    >>> bool(np.allclose(maps.mean(axis=(1, 2)), scores(model, images)[:, 1], atol=1e-5))
    True
    """
    values = check_inputs(model, inputs)
    pooling, dense = _pooling_and_dense(model)
    weights = np.asarray(dense.kernel)  # (n_maps, n_outputs)
    bias = np.zeros(weights.shape[1], np.float32) if dense.bias is None else np.asarray(dense.bias)
    targets = check_target(target, len(values), weights.shape[1])
    maps = _inputs_of(model, values, pooling, batch_size)
    result = np.einsum("nhwc,cn->nhw", maps, weights[:, targets]) + bias[targets][:, None, None]
    result = result.astype(np.float32)
    return _like_inputs(result, values) if upsample else result


def _pooling_and_dense(model):
    layers = [layer for layer in model.layers if type(layer).__name__ not in {"Dropout", "Softmax", "Activation"}]
    kinds = [type(layer).__name__ for layer in layers[-2:]]
    if kinds == ["GlobalAveragePooling2D", "Dense"]:
        return layers[-2], layers[-1]
    seen = ", ".join(type(layer).__name__ for layer in layers[-3:])
    raise ValueError(
        "A class activation map needs GlobalAveragePooling2D directly in front of the only Dense layer, "
        f"but the model ends in {seen}: use grad_cam, which has no such condition."
    )


def _inputs_of(model, values, layer, batch_size):
    """Return what goes into a layer."""
    model_reference, layer_reference = weakref.ref(model), weakref.ref(layer)

    def function(batch):
        with recorded([layer_reference()], inputs=True) as seen:
            model_reference()(batch, training=False)
        return seen[layer_reference().name]

    key = ("inputs of", layer.name, key_of_inputs(model, values))
    return batched(compiled(model, key, function, input_signature(model, values)), len(values), batch_size, values)


def grad_cam(
    model, inputs, target, *, layer=None, relu: bool = True, upsample: bool = True, batch_size: int = 256
) -> np.ndarray:
    r"""Return Grad-CAM: feature maps weighted by the mean gradient of the score with respect to them.

    .. math:: L_k(i) = \mathrm{ReLU}\Big(\sum_c \alpha_{k,c} h_{i,c}\Big), \qquad
              \alpha_{k,c} = \frac{1}{n_\mathrm{pix}} \sum_i \frac{\partial s_k}{\partial h_{i,c}}

    On a network with global average pooling this is the class activation map without its bias, up to the factor
    ``1 / n_pixels``.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Images, shape ``(n, height, width, n_channels)``.
    target : int or array_like of int
        Output index, or one for each input.
    layer : str, int or keras.layers.Layer, optional
        Whose feature maps; the last convolution when not given.
    relu : bool
        Keep only what speaks for the target.
    upsample : bool
        Bilinear interpolation to the size of the inputs, the same map in every channel.
    batch_size : int
        How many inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, or ``(n, map_height, map_width)`` without upsampling.

    Raises
    ------
    ValueError
        If there is no convolution, or the layer's output is no image.

    References
    ----------
    R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks", ICCV (2017).

    Examples
    --------
    >>> import keras, numpy as np
    >>> layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu"),
    ...           keras.layers.Flatten(), keras.layers.Dense(2)]
    >>> grad_cam(keras.Sequential(layers), np.ones((3, 8, 8, 1)), 0).shape
    (3, 8, 8, 1)
    """
    import tensorflow as tf

    values = check_inputs(model, inputs)
    found = last_convolution(model) if layer is None else find_layer(model, layer)
    n_outputs = scores(model, values[:1]).shape[1]
    targets = check_target(target, len(values), n_outputs)
    shape = activations(model, values[:1], found).shape
    if len(shape) != 4:
        raise ValueError(f"Layer {found.name!r} gives the shape {shape}, no feature maps: choose a convolution.")
    score_of, layer_reference = traceable_scores(model), weakref.ref(found)

    def function(batch, target):
        with tf.GradientTape() as tape, recorded([layer_reference()]) as outputs:
            tape.watch(batch)
            chosen = tf.gather(score_of(batch), target, axis=1, batch_dims=1)
        maps = outputs[layer_reference().name]
        weights = tf.reduce_mean(tape.gradient(chosen, maps, unconnected_gradients="zero"), axis=(1, 2))
        return tf.einsum("nhwc,nc->nhw", maps, weights)

    key = ("grad_cam", found.name, key_of_inputs(model, values))
    traced = compiled(model, key, function, input_signature(model, values), ((None,), "int32"))
    result = batched(traced, len(values), batch_size, values, targets)
    if relu:
        result = np.maximum(result, 0)
    return _like_inputs(result, values) if upsample else result


def last_convolution(model):
    """Return the last layer that gives feature maps.

    Raises
    ------
    ValueError
        If there is none.
    """
    kinds = {"Conv2D", "SeparableConv2D", "DepthwiseConv2D", "Conv2DTranspose"}
    for layer in reversed(model.layers):
        if type(layer).__name__ in kinds:
            return layer
    names = ", ".join(type(layer).__name__ for layer in model.layers)
    raise ValueError(f"The model has no two-dimensional convolution among {names}: name the layer.")


def _like_inputs(maps, values) -> np.ndarray:
    """Interpolate ``(n, h, w)`` to the inputs' shape ``(n, H, W, C)``."""
    import tensorflow as tf

    height, width, n_channels = values.shape[1:]
    resized = np.asarray(tf.image.resize(maps[..., None], (height, width), method="bilinear"))
    return np.repeat(resized, n_channels, axis=-1)
