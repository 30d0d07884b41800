"""Compiled access to a model's scores and layers: the one place that knows how Keras 3 calls a layer.

Everything else in this package asks for a compiled function here. A function is traced once for each (model, key)
and kept while the model lives. During the trace, and only then, the calls of single layers are replaced (to record
what goes in and out, or to leave the last softmax away); afterwards the model is as it was.
"""

from __future__ import annotations

import contextlib
import threading
import weakref

import numpy as np

#: Concrete functions by model and key. They hold the model's variables but not the model: when it goes, they go.
_COMPILED: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
#: Replacing a layer's call is visible to every thread, so traces happen one at a time.
_TRACING = threading.RLock()

#: Activations that turn scores into probabilities; explanations are made of what comes before them.
_PROBABILITY_ACTIVATIONS = ("softmax", "sigmoid", "log_softmax")


def all_layers(model):
    """Return the layers of a model in order, those of nested models included (after the model that holds them)."""
    found = []
    for layer in model.layers:
        found.append(layer)
        if hasattr(layer, "layers") and not isinstance(getattr(layer, "layers", None), property):
            found.extend(all_layers(layer))
    return found


def find_layer(model, layer):
    """Return a layer of a model.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed.
    layer : str, int or keras.layers.Layer
        Its name (nested models are searched too), its index in ``model.layers``, or the layer itself.

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
    known = all_layers(model)
    if isinstance(layer, str):
        for candidate in known:
            if candidate.name == layer:
                return candidate
    elif isinstance(layer, (int, np.integer)):
        if -len(model.layers) <= layer < len(model.layers):
            return model.layers[layer]
    elif any(layer is candidate for candidate in known):
        return layer
    listing = ", ".join(f"{index}: {candidate.name}" for index, candidate in enumerate(model.layers))
    seen = getattr(layer, "name", layer)
    raise ValueError(f"The model has no layer {seen!r}: choose a name or an index of {listing}.")


def check_inputs(model, inputs) -> np.ndarray:
    """Return the inputs as float32 of shape ``(n, ...)``, or say what is wrong with them.

    Raises
    ------
    ValueError
        If the shape does not fit the model, or a value is not finite.
    """
    values = np.asarray(inputs, dtype=np.float32)
    expected = _input_shape(model)
    if expected is not None:
        fits = values.ndim == len(expected) + 1 and all(
            wanted in (None, seen) for wanted, seen in zip(expected, values.shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                f"Inputs must have the shape (n, {', '.join(map(str, expected))}), not {values.shape}: "
                "add the batch axis with inputs[None] or the channel axis with inputs[..., None]."
            )
    elif values.ndim < 2:
        raise ValueError(f"Inputs must have a batch axis, shape (n, ...), not {values.shape}: use inputs[None].")
    finite = np.isfinite(values)
    if not finite.all():
        first = tuple(int(index) for index in np.argwhere(~finite)[0])
        raise ValueError(
            f"Inputs must be finite, but inputs{list(first)} is {values[first]}: "
            "replace missing values before asking for an explanation."
        )
    return values


def _input_shape(model):
    tensors = getattr(model, "inputs", None)
    if not tensors:
        return None
    if len(tensors) > 1:
        raise ValueError(
            f"Model {model.name!r} has {len(tensors)} inputs; explanations here take one: wrap it in a model of the "
            "input you want to explain, with the others fixed."
        )
    return tuple(tensors[0].shape[1:])


def check_target(target, n_inputs: int, n_outputs: int) -> np.ndarray:
    """Return the target as int32 of shape ``(n,)``.

    Raises
    ------
    ValueError
        If it is neither an output index nor one index for each input.
    """
    indices = np.asarray(target)
    if indices.dtype.kind not in "iu" or indices.shape not in {(), (n_inputs,)}:
        raise ValueError(
            f"target must be an output index or one for each of the {n_inputs} inputs, "
            f"not {indices.dtype} of shape {indices.shape}."
        )
    if indices.size and (indices.min() < 0 or indices.max() >= n_outputs):
        raise ValueError(f"target must lie between 0 and {n_outputs - 1}, but holds {indices.min()}..{indices.max()}.")
    return np.broadcast_to(indices, (n_inputs,)).astype(np.int32)


@contextlib.contextmanager
def _replaced(layer, attribute, value):
    """Set an attribute of one layer object and take it back, past Keras' own bookkeeping."""
    had = attribute in vars(layer)
    before = vars(layer).get(attribute)
    object.__setattr__(layer, attribute, value)
    try:
        yield
    finally:
        if had:
            object.__setattr__(layer, attribute, before)
        else:
            object.__delattr__(layer, attribute)


@contextlib.contextmanager
def scores_instead_of_probabilities(model):
    """While inside, the model's last layer gives its scores: the final softmax or sigmoid is left away."""
    last = output_layer(model)
    with contextlib.ExitStack() as stack:
        kind = type(last).__name__
        activation = getattr(getattr(last, "activation", None), "__name__", None)
        if kind == "Softmax" or (kind == "Activation" and activation in _PROBABILITY_ACTIVATIONS):
            stack.enter_context(_replaced(last, "call", lambda values, *_, **__: values))
        elif activation in _PROBABILITY_ACTIVATIONS:
            stack.enter_context(_replaced(last, "activation", lambda values: values))
        yield


def output_layer(model):
    """Return the layer that gives the model's output."""
    outputs = getattr(model, "outputs", None)
    if outputs:
        operation = outputs[0]._keras_history.operation
        if hasattr(operation, "layers"):
            return output_layer(operation)
        return operation
    last = model.layers[-1]
    return output_layer(last) if hasattr(last, "layers") else last


@contextlib.contextmanager
def recorded(layers, *, inputs=False):
    """While inside, each call of the layers is recorded; yields a dictionary layer name -> tensor.

    The tensor is the output of the layer's last call, or with `inputs` its first argument.
    """
    seen: dict = {}
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_replaced(layer, "call", _recording(layer, seen, inputs)))
        yield seen


def _recording(layer, seen, inputs):
    original = layer.call

    def call(values, *args, **kwargs):
        output = original(values, *args, **kwargs)
        seen[layer.name] = values if inputs else output
        return output

    return call


def compiled(model, key, function, *signature):
    """Return the concrete function of `function`, traced once for this model and key.

    Parameters
    ----------
    model : keras.Model
    key : hashable
        Names what is computed, with all options that change the trace.
    function : callable
        Tensors in, tensors out; may use `scores_instead_of_probabilities` and `recorded`.
    *signature : tuple
        ``(shape, dtype)`` of each argument, batch axis None.
    """
    import tensorflow as tf

    functions = _COMPILED.setdefault(model, {})
    if key not in functions:
        with _TRACING:
            specifications = [tf.TensorSpec(shape, dtype) for shape, dtype in signature]
            functions[key] = tf.function(function).get_concrete_function(*specifications)
    return functions[key]


def input_signature(model, values):
    """Return ``(shape, dtype)`` of a batch of inputs: free where the model leaves it free."""
    shape = _input_shape(model)
    return (None, *(values.shape[1:] if shape is None else shape)), "float32"


def key_of_inputs(model, values):
    """Return what has to be part of the key when the model does not fix the shape of its inputs."""
    return None if _input_shape(model) is not None else values.shape[1:]


def batched(function, n_inputs: int, batch_size: int, *arrays) -> np.ndarray:
    """Apply a compiled function to slices of the arrays along their first axis and join the results."""
    import tensorflow as tf

    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
    parts = [
        np.asarray(function(*(tf.constant(array[start : start + batch_size]) for array in arrays)))
        for start in range(0, max(n_inputs, 1), batch_size)
    ]
    return np.concatenate(parts)


def scores(model, inputs, *, batch_size: int = 256) -> np.ndarray:
    """Return the outputs of a model before its final softmax or sigmoid.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed, with one input.
    inputs : array_like
        Shape ``(n, ...)``.
    batch_size : int
        How many inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(n, n_outputs)``; outputs with more axes are flattened.

    Raises
    ------
    ValueError
        If the inputs do not fit, or if the softmax is applied inside the model where it cannot be left away.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    >>> model.set_weights([np.array([[1.0, 2, 3], [0, 0, 0]]), np.zeros(3)])
    >>> scores(model, [[1.0, 5.0]])
    array([[1., 2., 3.]], dtype=float32)
    """
    values = check_inputs(model, inputs)
    result = batched(score_function(model, values), len(values), batch_size, values)
    _refuse_softmax_left_on(model, result)
    return result


def score_function(model, values):
    """Return the compiled function inputs -> scores ``(n, n_outputs)``."""
    return compiled(
        model, ("scores", key_of_inputs(model, values)), traceable_scores(model), input_signature(model, values)
    )


def traceable_scores(model):
    """Return a function of tensors to use inside other traces: inputs -> scores ``(n, n_outputs)``."""
    import tensorflow as tf

    # The function must not keep the model alive (see _COMPILED); a trace happens while the caller holds it.
    reference = weakref.ref(model)

    def function(values):
        with scores_instead_of_probabilities(reference()):
            output = reference()(values, training=False)
        return tf.reshape(output, (tf.shape(output)[0], -1))

    return function


def _refuse_softmax_left_on(model, result):
    """A softmax may stand before the last layer, or be called in a subclassed model's own code: out of reach."""
    if result.shape[1] < 2 or not len(result) or result.min() < 0 or not np.allclose(result.sum(axis=1), 1, atol=1e-5):
        return
    last = output_layer(model)
    inside = [layer.name for layer in all_layers(model) if layer is not last and _applies_softmax(layer)]
    # Scores may sum to 1 by chance: a model whose graph holds no softmax cannot have left one on.
    if getattr(model, "outputs", None) and not inside:
        return
    place = f" in layer {inside[-1]!r}" if inside else ""
    raise ValueError(
        f"Model {model.name!r} still applies a softmax{place} (its {result.shape[1]} outputs sum to 1): "
        "return the scores from call(), or make the softmax its last layer so that it can be left away."
    )


def _applies_softmax(layer) -> bool:
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    return type(layer).__name__ == "Softmax" or activation == "softmax"
