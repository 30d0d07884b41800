"""Weights and outputs of single layers."""

from __future__ import annotations

import weakref

import numpy as np

from course_lib.introspection.compilation import (
    all_layers,
    batched,
    check_inputs,
    compiled,
    find_layer,
    input_signature,
    key_of_inputs,
    recorded,
)


def filters(model, layer) -> np.ndarray:
    """Return the filters of a convolutional layer, of images or of sequences.

    Parameters
    ----------
    model : keras.Model
    layer : str, int or keras.layers.Layer
        As in `find_layer`.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(n_filters, kernel_height, kernel_width, n_channels)``, for a Conv1D
        ``(n_filters, kernel_length, n_channels)``: the weights of one output map in each row, without the bias.

    Raises
    ------
    ValueError
        If the layer is no convolution.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Conv2D(5, (3, 2))])
    >>> filters(model, 0).shape
    (5, 3, 2, 3)
    """
    found = find_layer(model, layer)
    kernel = getattr(found, "kernel", None)
    if type(found).__name__ not in {"Conv1D", "Conv2D"} or kernel is None:
        raise ValueError(
            f"Layer {found.name!r} ({type(found).__name__}) has no filters: choose a Conv2D or Conv1D layer."
        )
    return np.moveaxis(np.asarray(kernel, dtype=np.float32), -1, 0).copy()


def activations(model, inputs, layer, *, batch_size: int = 256) -> np.ndarray:
    """Return the output of one layer for given inputs, in inference mode.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed.
    inputs : array_like
        Shape ``(n, ...)``, as the model takes them.
    layer : str, int or keras.layers.Layer
        As in `find_layer`.
    batch_size : int
        How many inputs are computed at once; bounds the memory, does not change the result.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(n, *layer_output_shape)``: for a convolution ``(n, height, width, n_filters)``.

    Raises
    ------
    ValueError
        If the layer does not exist or is not used, or the inputs do not fit the model.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="maps")])
    >>> activations(model, np.zeros((4, 8, 8, 1)), "maps").shape
    (4, 6, 6, 2)
    """
    found = find_layer(model, layer)
    values = check_inputs(model, inputs)
    return batched(activation_function(model, values, found), len(values), batch_size, values)


def output_shapes(model, inputs) -> dict[str, tuple]:
    """Return the shape of what each layer gives for the inputs, for any kind of model.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed.
    inputs : array_like
        Shape ``(n, ...)``; the first one is enough.

    Returns
    -------
    dict
        Layer name -> shape without the batch axis, in the order of the model; layers that are never called, give
        several arrays or hold other layers are left out.

    Raises
    ------
    ValueError
        If the inputs do not fit the model.

    Examples
    --------
    >>> import keras, numpy as np
    >>> layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="maps"),
    ...           keras.layers.Flatten(name="flat")]
    >>> output_shapes(keras.Sequential(layers), np.zeros((1, 8, 8, 1)))
    {'maps': (6, 6, 2), 'flat': (72,)}
    """
    import tensorflow as tf

    values = check_inputs(model, inputs)[:1]
    model(values, training=False)  # a subclassed model has its layers only after a first call
    single = [layer for layer in all_layers(model) if not hasattr(layer, "layers")]
    reference, references = weakref.ref(model), [weakref.ref(layer) for layer in single]

    def function(batch):
        with recorded([layer() for layer in references]) as outputs:
            reference()(batch, training=False)
        return {name: output for name, output in outputs.items() if tf.is_tensor(output)}

    # Only traced, never run. With one input the shapes that the model leaves free are known.
    traced = compiled(model, ("output shapes", values.shape[1:]), function, (values.shape, "float32"))
    outputs = traced.structured_outputs
    return {layer.name: tuple(outputs[layer.name].shape[1:]) for layer in single if layer.name in outputs}


def activation_function(model, values, layer):
    """Return the compiled function inputs -> output of the layer."""
    key = ("activations", layer.name, key_of_inputs(model, values))
    return compiled(model, key, traceable_activations(model, layer), input_signature(model, values))


def traceable_activations(model, layer):
    """Return a function of tensors to use inside other traces: inputs -> output of the layer."""
    model_reference, layer_reference = weakref.ref(model), weakref.ref(layer)

    def function(values):
        layer = layer_reference()
        with recorded([layer]) as outputs:
            model_reference()(values, training=False)
        if layer.name not in outputs:
            raise ValueError(f"The model never calls its layer {layer.name!r}: choose another.")
        return outputs[layer.name]

    return function
