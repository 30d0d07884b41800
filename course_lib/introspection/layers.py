"""Weights and outputs of single layers."""

from __future__ import annotations

import weakref

import numpy as np

#: Compiled functions by model and layer; the entries of a model go when the model goes.
_COMPILED: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def find_layer(model, layer):
    """Return a layer of a model.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed.
    layer : str, int or keras.layers.Layer
        Its name, its index in ``model.layers``, or the layer itself.

    Returns
    -------
    keras.layers.Layer

    Raises
    ------
    ValueError
        If the model has no such layer; the message lists its layers.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, name="hidden")])
    >>> find_layer(model, "hidden") is find_layer(model, -1)
    True
    """
    names = [known.name for known in model.layers]
    listing = ", ".join(f"{index}: {name}" for index, name in enumerate(names))
    if isinstance(layer, str):
        if layer in names:
            return model.layers[names.index(layer)]
    elif isinstance(layer, (int, np.integer)):
        if -len(names) <= layer < len(names):
            return model.layers[layer]
    elif any(layer is known for known in model.layers):
        return layer
    seen = getattr(layer, "name", layer)
    raise ValueError(f"The model has no layer {seen!r}: choose a name or an index of {listing}.")


def filters(model, layer) -> np.ndarray:
    """Return the filters of a two-dimensional convolutional layer.

    Parameters
    ----------
    model : keras.Model
    layer : str, int or keras.layers.Layer
        As in `find_layer`.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(n_filters, kernel_height, kernel_width, n_channels)``: the weights of one output map
        in each row, without the bias.

    Raises
    ------
    ValueError
        If the layer has no kernel of four axes.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Conv2D(5, (3, 2))])
    >>> filters(model, 0).shape
    (5, 3, 2, 3)
    """
    found = find_layer(model, layer)
    kernel = getattr(found, "kernel", None)
    if kernel is None or len(kernel.shape) != 4 or type(found).__name__ != "Conv2D":
        raise ValueError(
            f"Layer {found.name!r} ({type(found).__name__}) has no two-dimensional filters: choose a Conv2D layer."
        )
    return np.moveaxis(np.asarray(kernel, dtype=np.float32), -1, 0).copy()


def activations(model, inputs, layer, *, batch_size: int = 256) -> np.ndarray:
    """Return the output of one layer for given inputs, in inference mode.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional (a subclassed model has no graph from its input to a layer).
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
        If the layer does not exist, the model has no graph, or the inputs do not fit the model.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="maps")])
    >>> activations(model, np.zeros((4, 8, 8, 1)), "maps").shape
    (4, 6, 6, 2)
    """
    import keras

    found = find_layer(model, layer)
    values = np.asarray(inputs, dtype=np.float32)
    compiled = _COMPILED.setdefault(model, {}).get(found.name)
    if compiled is None:
        try:
            graph = keras.Model(model.inputs, found.output)
        except (AttributeError, ValueError) as error:
            raise ValueError(
                f"{type(model).__name__} {model.name!r} has no graph from its input to {found.name!r}: "
                "call a Sequential model once on data, or build it with the functional API."
            ) from error
        compiled = _compile(graph)
        _COMPILED[model][found.name] = compiled
    expected = tuple(model.inputs[0].shape[1:])
    fits = values.ndim == len(expected) + 1 and all(
        wanted in (None, seen) for wanted, seen in zip(expected, values.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(f"Inputs must have the shape (n, {', '.join(map(str, expected))}), not {values.shape}.")
    parts = [np.asarray(compiled(values[i : i + batch_size])) for i in range(0, len(values), batch_size)]
    return np.concatenate(parts).astype(np.float32, copy=False)


def _compile(graph):
    import tensorflow as tf

    # None in the batch axis: one trace serves every number of inputs.
    signature = [tf.TensorSpec((None, *graph.inputs[0].shape[1:]), tf.float32)]
    return tf.function(lambda values: graph(values, training=False), input_signature=signature)
