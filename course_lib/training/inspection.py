"""A look into the layers of a network that trains: norms of weights and gradients, size of updates, dead units."""

from __future__ import annotations

import dataclasses
import math
import weakref

#: Samples on which layers are looked into, where the reader did not choose them.
PROBE_SAMPLES = 256


@dataclasses.dataclass(frozen=True)
class LayerState:
    """One layer at one moment.

    Parameters
    ----------
    name : str
        The layer's name.
    weight_norm : float or None
        Euclidean norm of all its trainable weights; None where it has none.
    gradient_norm : float or None
        Euclidean norm of the gradient of the loss on the probe, in inference mode (no dropout); None where no
        loss is known.
    update_ratio : float or None
        Norm of the change of the weights in one batch, divided by `weight_norm`: the size of a step as it was
        really made. About 0.001 is healthy; None while no batch was compared.
    dead_share : float or None
        Part of its units that answer 0 to every sample of the probe; None for activations that cannot die.
    """

    name: str
    weight_norm: float | None = None
    gradient_norm: float | None = None
    update_ratio: float | None = None
    dead_share: float | None = None


@dataclasses.dataclass(frozen=True)
class Inspection:
    """All layers at one moment.

    Parameters
    ----------
    n_batches : int
        Batches seen by then.
    epoch : float
        Epochs seen by then; an inspection in the middle of one lies between two whole numbers.
    layers : tuple of LayerState
        In the order of the model.
    """

    n_batches: int
    epoch: float
    layers: tuple


def inspect_layers(model, inputs=None, targets=None):
    """Look into the layers of a model; neither its weights nor its metrics change.

    Parameters
    ----------
    model : keras.Model
        Compiled, for the norms of the gradients.
    inputs, targets : array_like or nested structures of them, optional
        The probe: one batch, as ``model.fit`` takes it. Without it only norms of weights are known.

    Returns
    -------
    tuple of LayerState
        One for each layer that has trainable weights or can have dead units.

    Examples
    --------
    >>> import keras, numpy as np
    >>> layers = [keras.Input((1,)), keras.layers.Dense(2, "relu"), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> model.compile("sgd", "mse")
    >>> model.set_weights([np.array([[3.0, -4.0]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)])
    >>> first, last = inspect_layers(model, np.array([[1.0], [2.0]]), np.array([[3.0], [6.0]]))
    >>> first.weight_norm, first.dead_share
    (5.0, 0.5)
    >>> last.gradient_norm  # the model is right already
    0.0
    """
    x, y = _tensors(inputs), _tensors(targets)
    gradients = _gradient_norms(model, x, y) if x is not None and y is not None else {}
    states = []
    for layer in _single_layers(model):
        weights = [weight.numpy() for weight in layer.trainable_variables]
        state = LayerState(
            layer.name,
            weight_norm=_norm(weights) if weights else None,
            gradient_norm=gradients.get(id(layer)),
            dead_share=None if x is None else _dead_share(model, layer, x),
        )
        if weights or state.dead_share is not None:
            states.append(state)
    return tuple(states)


class Inspector:
    """Looks into one model again and again, and measures the step from one batch to the next.

    Parameters
    ----------
    model : keras.Model
        The model that trains.
    probe : tuple of (inputs, targets), optional
        As for `inspect_layers`.
    """

    def __init__(self, model, probe=None):
        self.model = model
        self._probe = (None, None) if probe is None else probe
        self._before = None

    def remember_weights(self):
        """Keep the weights as they are before a batch."""
        self._before = {layer.name: _weights(layer) for layer in _single_layers(self.model)}

    def inspect(self, n_batches, epoch):
        """Return an `Inspection` of this moment, without the size of an update."""
        return Inspection(n_batches, epoch, inspect_layers(self.model, *self._probe))

    def with_update(self, inspection):
        """Return the inspection with the size of the update since `remember_weights`, whose weights are forgotten."""
        before, self._before = self._before, None
        if before is None:
            return inspection
        after = {layer.name: _weights(layer) for layer in _single_layers(self.model)}
        layers = []
        for state in inspection.layers:
            # A layer built, frozen or set free in between has nothing to compare with.
            known = state.weight_norm and len(before.get(state.name, ())) == len(after.get(state.name, ()))
            if known:
                steps = [new - old for new, old in zip(after[state.name], before[state.name], strict=True)]
                state = dataclasses.replace(state, update_ratio=_norm(steps) / _norm(before[state.name]))
            layers.append(state)
        return dataclasses.replace(inspection, layers=tuple(layers))


def probe_of(arguments, options):
    """Return the first samples of what ``model.fit`` is given, or None where they cannot be looked at twice.

    Examples
    --------
    >>> import numpy as np
    >>> inputs, targets = probe_of((np.zeros((1000, 3)),), {"y": np.ones(1000)})
    >>> inputs.shape, targets.shape
    ((256, 3), (256,))
    >>> probe_of((iter([]),), {}) is None
    True
    """
    import keras
    import numpy as np

    x = arguments[0] if arguments else options.get("x")
    y = arguments[1] if len(arguments) > 1 else options.get("y")
    if y is None or not all(hasattr(leaf, "shape") and hasattr(leaf, "__getitem__") for leaf in _leaves((x, y))):
        return None
    return keras.tree.map_structure(lambda values: np.asarray(values[:PROBE_SAMPLES]), (x, y))


def _leaves(structure):
    import keras

    return keras.tree.flatten(structure)


def _tensors(structure):
    import keras
    import numpy as np
    import tensorflow as tf

    if structure is None:
        return None

    def tensor(values):
        values = np.asarray(values)
        # As `fit` does: networks compute with 32 bits.
        return tf.constant(values, keras.config.floatx() if values.dtype.kind == "f" else None)

    return keras.tree.map_structure(tensor, structure)


def _single_layers(model):
    """Return the layers that hold no other model, each once."""
    from course_lib.introspection.compilation import all_layers

    found = {id(layer): layer for layer in all_layers(model) if not hasattr(layer, "layers")}
    return list(found.values())


def _weights(layer):
    return [weight.numpy() for weight in layer.trainable_variables]


def _norm(arrays):
    import numpy as np

    return math.sqrt(sum(float(np.vdot(array, array)) for array in (np.asarray(a, dtype=float) for a in arrays)))


def _gradient_norms(model, x, y):
    """Return the norm of the gradient of each layer, by the layer's id; nothing where the model has no loss."""
    import keras
    import tensorflow as tf

    from course_lib.introspection.compilation import compiled

    has_loss = getattr(model, "_compile_loss", None) is not None
    own_loss = isinstance(model, keras.Model) and type(model).compute_loss is not keras.Model.compute_loss
    if not (has_loss or own_loss):  # not compiled, or with a train_step that knows its loss alone
        return {}
    reference = weakref.ref(model)
    leaves = _leaves((x, y))

    def gradients(*leaves_now):
        inputs, targets = keras.tree.pack_sequence_as((x, y), list(leaves_now))
        network = reference()
        with tf.GradientTape() as tape:
            loss = network.compute_loss(inputs, targets, network(inputs, training=False), None, training=False)
        found = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
        return [tf.constant(0.0) if each is None else tf.convert_to_tensor(each) for each in found]

    trainable = tuple(id(variable) for variable in model.trainable_variables)
    shapes = tuple((tuple(leaf.shape), leaf.dtype) for leaf in leaves)
    key = ("gradients of the loss", id(getattr(model, "_compile_loss", None)), trainable, shapes)
    # Losses of several outputs count themselves as metrics: what `fit` reports must not notice this look.
    counted = [(variable, variable.numpy()) for metric in model.metrics for variable in metric.variables]
    try:
        found = compiled(model, key, gradients, *shapes)(*leaves)
    finally:
        for variable, value in counted:
            variable.assign(value)
    by_variable = dict(zip(trainable, found, strict=True))
    return {
        id(layer): _norm([by_variable[id(variable)] for variable in layer.trainable_variables])
        for layer in _single_layers(model)
        if layer.trainable_variables
    }


def _dead_share(model, layer, x):
    import keras
    import numpy as np
    import tensorflow as tf

    from course_lib.introspection import dead_units

    can_die = isinstance(layer, keras.layers.ReLU) or getattr(layer, "activation", None) is keras.activations.relu
    if not (can_die and tf.is_tensor(x)):  # models of several inputs are not followed inside
        return None
    try:
        return float(np.mean(dead_units(model, x.numpy(), layer)))
    except ValueError:  # a layer that the model never calls
        return None
