"""What travels by value beside plain data: Keras models, tensors, random generators, ranges, slices, kinds of numbers.

A model crosses the channel as a description and its weights, and is rebuilt on the other side.

Whoever receives a model asks its own Keras for predictions, layers and counts, so that nothing which was patched in
the process that sent it has any say. What is rebuilt is bounded by fixed tables: layers, initialisers, regularisers,
constraints, activations, losses, metrics and optimisers of Keras that only compute. There is no Lambda layer, no
custom class, no layer that reads a file, and no module that the description could name besides those in the tables;
`check_description` looks at every part of it before Keras sees it.

A model with any other part is not transportable (`NotTransportable`); it stays where it is, and its answers are the
student's own.
"""

from __future__ import annotations

import re
import sys

import numpy as np

from autograder.channel import ChannelError


class NotTransportable(Exception):
    """The model has a part that cannot travel by value; the text names it."""


_LAYERS = """
InputLayer Dense EinsumDense Embedding Identity Masking Activation ReLU LeakyReLU PReLU ELU Softmax
Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D DepthwiseConv2D
SeparableConv1D SeparableConv2D
MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D AdaptiveAveragePooling1D
AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization SpectralNormalization
Normalization Rescaling Resizing CenterCrop
Dropout AlphaDropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D
ActivityRegularization RandomFlip RandomRotation RandomTranslation RandomZoom RandomCrop RandomContrast
Flatten Reshape Permute RepeatVector
ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D
Add Subtract Multiply Average Maximum Minimum Dot Concatenate
Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell StackedRNNCells RNN ConvLSTM1D ConvLSTM2D ConvLSTM3D
Bidirectional TimeDistributed
"""
_INITIALIZERS = """
Zeros Ones Constant Identity Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling GlorotNormal
GlorotUniform HeNormal HeUniform LecunNormal LecunUniform
"""
_SCHEDULES = "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay"
_OPTIMIZERS = "SGD Adam AdamW Adamax Adagrad Adadelta Adafactor Nadam RMSprop Ftrl Lion Lamb"
_LOSSES = """
BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy
SparseCategoricalCrossentropy CategoricalHinge Hinge SquaredHinge Huber KLDivergence LogCosh MeanAbsoluteError
MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson CosineSimilarity Dice Tversky
"""
_METRICS = """
Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy
SparseTopKCategoricalAccuracy AUC Precision Recall TruePositives TrueNegatives FalsePositives FalseNegatives F1Score
FBetaScore Mean Sum MeanSquaredError RootMeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError
MeanSquaredLogarithmicError R2Score BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy
KLDivergence Poisson LogCoshError CosineSimilarity Hinge SquaredHinge CategoricalHinge
"""
# Arithmetic that a functional model may hold between its layers.
_OPERATIONS = """
Abs Absolute Add Arctan Clip Concatenate Cos Divide TrueDivide Exp ExpandDims Flip GetItem Log Log1p Matmul Max Maximum
Mean Min Minimum Multiply Negative Power Prod Reshape Roll Sin Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Tanh
Transpose Var Where
"""
_CLASSES = {
    "keras": "DTypePolicy Sequential Functional Model",
    "keras.src.models.functional": "Functional",
    "keras.layers": _LAYERS,
    "keras.initializers": _INITIALIZERS,
    "keras.regularizers": "L1 L2 L1L2 OrthogonalRegularizer",
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "keras.optimizers": _OPTIMIZERS,
    "keras.optimizers.schedules": _SCHEDULES,
    "keras.losses": _LOSSES,
    "keras.metrics": _METRICS,
    "keras.src.ops.numpy": _OPERATIONS,
}
_ALLOWED = {(module, name) for module, names in _CLASSES.items() for name in names.split()}
#: Descriptions of plain things that are no objects of a class.
_PSEUDO_CLASSES = {
    "__keras_tensor__": {"shape", "dtype", "keras_history"},
    "__slice__": {"start", "stop", "step"},
}
_KEYS_OF_OBJECTS = {
    "module",
    "class_name",
    "config",
    "registered_name",
    "build_config",
    "name",
    "inbound_nodes",
    "shared_object_id",
}
_PLAIN = (type(None), bool, int, float, str)
#: Nodes of one description; a network of a thousand layers has about 30 000.
_MOST_NODES = 100_000
_DEEPEST = 60
#: Names of layers and models.
_NAME = re.compile(r"[\w.\-/ :]{0,200}")


def check_description(description) -> None:
    """Look at every part of a description of a Keras object.

    Parameters
    ----------
    description : dict
        What ``keras.saving.serialize_keras_object`` gives, as plain lists, dictionaries, numbers and strings.

    Raises
    ------
    NotTransportable
        If any part is not in the tables of this module.

    Examples
    --------
    >>> check_description({"module": "keras.layers", "class_name": "Flatten", "config": {}, "registered_name": None})
    >>> check_description({"module": "os", "class_name": "system", "config": {}, "registered_name": None})
    Traceback (most recent call last):
    autograder.model_transport.NotTransportable: os.system is no part that can travel
    """
    if type(description) is not dict or "class_name" not in description:
        raise NotTransportable("this is no description of a Keras object")
    n_nodes = 0
    waiting = [(description, 0)]
    while waiting:
        part, depth = waiting.pop()
        n_nodes += 1
        if n_nodes > _MOST_NODES or depth > _DEEPEST:
            raise NotTransportable("the description is too large")
        if type(part) in _PLAIN:
            continue
        if type(part) in (list, tuple):
            waiting += [(item, depth + 1) for item in part]
            continue
        if type(part) is not dict or any(type(key) is not str for key in part):
            raise NotTransportable(f"a {type(part).__name__} is no part of a description")
        if "class_name" in part or "registered_name" in part or "module" in part:
            _check_object(part)
        waiting += [(item, depth + 1) for item in part.values()]


def _check_object(part):
    name = part.get("class_name")
    if type(name) is not str:
        raise NotTransportable("a part without the name of its class cannot travel")
    if name in _PSEUDO_CLASSES:
        config = part.get("config")
        if set(part) != {"class_name", "config"} or type(config) is not dict or set(config) - _PSEUDO_CLASSES[name]:
            raise NotTransportable(f"{name} is not described as Keras does")
        return
    module = part.get("module")
    if (module, name) not in _ALLOWED:
        raise NotTransportable(f"{module}.{name} is no part that can travel")
    if set(part) - _KEYS_OF_OBJECTS or type(part.get("config")) is not dict:
        raise NotTransportable(f"{name} is not described as Keras does")
    if part.get("registered_name") not in (None, name):
        raise NotTransportable(f"{name} is registered under another name")
    for label in (part.get("name"), part["config"].get("name")):
        if label is not None and not (type(label) is str and _NAME.fullmatch(label)):
            raise NotTransportable(f"{name} has a name that is none")


def is_model(value) -> bool:
    """Whether a value is a Keras model, without importing Keras."""
    keras = sys.modules.get("keras")
    return keras is not None and keras.Model in type(value).__mro__


def describe(model) -> dict:
    """Describe a Keras model as plain data.

    Parameters
    ----------
    model : keras.Model or keras.layers.Layer

    Returns
    -------
    dict
        ``object`` (the description), ``weights`` (list of arrays in the order of ``model.weights``), and for a
        compiled model ``compile`` (dict or None) and ``iterations`` (int).

    Raises
    ------
    NotTransportable
        If a part of it is not in the tables of this module.
    """
    import keras

    if type(model) not in (keras.Sequential, keras.Model, _functional()) and not _is_plain_layer(model):
        raise NotTransportable(f"{type(model).__name__} is a class of its own")
    try:
        description = keras.saving.serialize_keras_object(model)
    except Exception as error:  # get_config of the student's own parts may do anything
        raise NotTransportable(f"it cannot be described ({type(error).__name__})") from error
    compiled = description.pop("compile_config", None)
    description = _plain(description)
    check_description(description)
    content = {
        "object": description,
        "weights": [np.asarray(weight) for weight in model.weights],
        "compile": None,
        "iterations": 0,
    }
    if is_model(model) and getattr(model, "compiled", False):
        content["compile"] = _compile_description(compiled)
        optimizer = getattr(model, "optimizer", None)
        if content["compile"] is not None and optimizer is not None:
            content["iterations"] = int(optimizer.iterations)
    return content


def _is_plain_layer(value):
    keras = sys.modules["keras"]
    kind = type(value)
    return (
        keras.layers.Layer in kind.__mro__
        and ("keras.layers", kind.__name__) in _ALLOWED
        and (getattr(keras.layers, kind.__name__, None) is kind)
    )


def _functional():
    keras = sys.modules["keras"]
    # Keras has no public name for the class that keras.Model(inputs, outputs) makes.
    return keras.src.models.functional.Functional


def _compile_description(compiled):
    """The plain part of how a model was compiled; a loss of the student's own, for example, is left out."""
    kept = {}
    for key in ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"):
        part = _plain((compiled or {}).get(key))
        try:
            _check_compile_part(part)
        except NotTransportable:
            part = None
        kept[key] = part
    return kept


def _check_compile_part(part):
    if type(part) in (list, tuple):
        for item in part:
            _check_compile_part(item)
    elif type(part) is dict and "class_name" not in part:
        for item in part.values():
            _check_compile_part(item)
    elif type(part) is dict:
        check_description(part)
    elif type(part) not in _PLAIN:
        raise NotTransportable(f"a {type(part).__name__} is no part of a description")


def _plain(part, depth=0):
    """Tuples as lists and numpy's numbers as Python's, which is how Keras writes them to a file as well.

    How a model inside a model was compiled is left out: it has no meaning there.
    """
    if depth > _DEEPEST:
        raise NotTransportable("the description is too large")
    if isinstance(part, dict):
        return {key: _plain(item, depth + 1) for key, item in part.items() if key != "compile_config"}
    if isinstance(part, (list, tuple)):
        return [_plain(item, depth + 1) for item in part]
    if isinstance(part, (np.ndarray, np.generic)):
        return part.tolist()
    return part


def check_content(content) -> None:
    """Look at a whole transported model before anything is built.

    Raises
    ------
    ChannelError
        If it is not what `describe` gives: an honest sender would not have sent it.
    """
    if type(content) is not dict or set(content) != {"object", "weights", "compile", "iterations"}:
        raise ChannelError("a model is incomplete")
    weights, compiled, iterations = content["weights"], content["compile"], content["iterations"]
    if type(weights) is not list or any(type(array) is not np.ndarray for array in weights):
        raise ChannelError("the weights of a model are no arrays")
    if type(iterations) is not int or not 0 <= iterations < 2**60:
        raise ChannelError("a model was trained an impossible number of steps")
    try:
        check_description(content["object"])
        if compiled is not None:
            if type(compiled) is not dict:
                raise NotTransportable("how the model was compiled")
            for part in compiled.values():
                _check_compile_part(part)
    except NotTransportable as error:
        raise ChannelError(f"a model has a part that may not travel: {error}") from None


class Rebuilder:
    """Build transported models, and build the same one only once.

    Tests look at a model several times, and the student may train it in between. As long as its description stays
    the same, only the weights are exchanged: the predict function that Keras compiles at the first use is kept.
    """

    def __init__(self):
        self._built: dict[int, tuple[dict, object]] = {}

    def rebuild(self, number: int, content: dict):
        """Return the model for checked content.

        Parameters
        ----------
        number : int
            The sender's number of the model.
        content : dict
            See `describe`.

        Raises
        ------
        ChannelError
            If Keras cannot build it or the weights do not fit.
        """
        check_content(content)
        import keras

        blueprint = {key: content[key] for key in ("object", "compile")}
        known, model = self._built.get(number, (None, None))
        try:
            if known != blueprint:
                # The cell's description holds no reference to files or code; safe_mode is a second lock.
                model = keras.saving.deserialize_keras_object(content["object"], safe_mode=True)
                if content["weights"] and not model.weights:
                    raise ValueError("it was not built")
                if content["compile"] is not None:
                    _compile(model, content["compile"])
            current = [np.asarray(weight) for weight in model.weights]
            if len(current) != len(content["weights"]):
                raise ValueError(f"{len(content['weights'])} weights for {len(current)} places")
            for weight, old, new in zip(model.weights, current, content["weights"], strict=True):
                if old.shape != new.shape:
                    raise ValueError(f"a weight of the shape {new.shape} for a place of the shape {old.shape}")
                if not np.array_equal(old, new):
                    weight.assign(new)
            for layer in getattr(model, "layers", [model]):
                if hasattr(layer, "finalize_state"):  # Normalization keeps what follows from its weights
                    layer.finalize_state()
            if getattr(model, "optimizer", None) is not None:
                model.optimizer.iterations.assign(content["iterations"])
        except Exception as error:  # whatever Keras says about a description that no honest Keras wrote
            raise ChannelError(f"a model cannot be rebuilt: {type(error).__name__}: {str(error)[:500]}") from None
        self._built[number] = (blueprint, model)
        return model


def _compile(model, compiled):
    import keras

    parts = {
        key: keras.saving.deserialize_keras_object(part, safe_mode=True) if part is not None else None
        for key, part in compiled.items()
        if key in {"optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"}
    }
    model.compile(**parts)


def count_parameters(weights) -> int:
    """Number of trained and fixed numbers in a list of arrays."""
    return int(sum(np.size(array) for array in weights))


#: Types that may be named: what students and tests hand over as ``dtype=...`` or return from ``type(...)``.
_TYPES = {
    f"{kind.__module__}.{kind.__name__}": kind
    for kind in (
        *(bool, int, float, complex, str, bytes, list, tuple, dict, set),
        *(np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
        *(np.float16, np.float32, np.float64, np.complex64, np.complex128, np.ndarray),
    )
}


def export_value(value) -> tuple[str, object] | None:
    """Describe a value of this kind for `autograder.channel.encode`; None for anything else."""
    if type(value) in (range, slice):
        return type(value).__name__, [value.start, value.stop, value.step]
    if type(value) is type and value in _TYPES.values():
        return "type", f"{value.__module__}.{value.__name__}"
    if isinstance(value, np.dtype) and value.kind in "biufc":
        return "dtype", value.str
    if type(value) is np.random.Generator and type(value.bit_generator) is np.random.PCG64:
        state = value.bit_generator.state
        return "generator", [state["state"]["state"], state["state"]["inc"], state["has_uint32"], state["uinteger"]]
    kinds = type(value).__mro__
    tensorflow, keras = sys.modules.get("tensorflow"), sys.modules.get("keras")
    if tensorflow is not None and (tensorflow.Tensor in kinds or tensorflow.Variable in kinds):
        return _tensor(value)
    if keras is not None and keras.Variable in kinds:
        return _tensor(value)
    return None


def _tensor(value):
    try:
        return "tensor", np.asarray(value)
    except (TypeError, ValueError, NotImplementedError):  # symbolic: there is no value yet
        return None


def resolve_value(kind: str, content):
    """Build what `export_value` described.

    Raises
    ------
    ChannelError
        If the content is not what `export_value` gives.
    """
    if kind == "type" and type(content) is str and content in _TYPES:
        return _TYPES[content]
    if kind == "dtype" and type(content) is str and re.fullmatch(r"[<>|=][biufc]\d{1,2}", content):
        try:
            return np.dtype(content)
        except TypeError:
            raise ChannelError("a kind of numbers that does not exist") from None
    parts = [type(part) for part in content] if type(content) is list else []
    if kind == "range" and parts == [int, int, int] and content[2] != 0:
        return range(*content)
    if kind == "slice" and len(parts) == 3 and set(parts) <= {int, type(None)}:
        return slice(*content)
    if kind == "generator":
        if type(content) is not list or [type(part) for part in content] != [int] * 4:
            raise ChannelError("a random generator is incomplete")
        state, increment, has_spare, spare = content
        if not (0 <= state < 2**128 and 0 <= increment < 2**128 and has_spare in (0, 1) and 0 <= spare < 2**32):
            raise ChannelError("a random generator has an impossible state")
        generator = np.random.Generator(np.random.PCG64(0))
        generator.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": has_spare,
            "uinteger": spare,
        }
        return generator
    if kind == "tensor" and type(content) is np.ndarray:
        tensorflow = sys.modules.get("tensorflow")
        return content if tensorflow is None else tensorflow.constant(content)
    raise ChannelError(f"nothing of the kind {kind!r} can travel")
