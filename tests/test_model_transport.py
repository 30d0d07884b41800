"""Keras models by value: what is rebuilt answers like the original, and descriptions bring nothing else along."""

import copy

import numpy as np
import pytest

from autograder import model_transport
from autograder.channel import ChannelError, decode, encode
from autograder.model_transport import NotTransportable, Rebuilder, check_description, describe


@pytest.fixture(scope="module")
def keras():
    from course_lib.front_end import load_quietly

    load_quietly("keras")
    import keras

    return keras


def over(model, rebuilder=None, number=1):
    """The model on the other side of the channel."""
    content = decode(encode(describe(model)))
    return (rebuilder or Rebuilder()).rebuild(number, content)


def lattice_network(keras):
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def functional_network(keras):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh")])
    inputs = keras.Input((4,))
    joined = keras.layers.Concatenate()([inner(inputs), inputs])
    outputs = keras.layers.Dense(2)(joined)[:, 1:] * 2 + keras.ops.sum(inputs, axis=1, keepdims=True)
    return keras.Model(inputs, outputs)


def recurrent_network(keras):
    layers = [keras.Input((5, 2)), keras.layers.Bidirectional(keras.layers.LSTM(3)), keras.layers.Dense(1)]
    return keras.Sequential(layers)


@pytest.mark.parametrize(
    ("build", "shape"), [(lattice_network, (4, 8, 9, 1)), (functional_network, (6, 4)), (recurrent_network, (3, 5, 2))]
)
def test_the_rebuilt_model_answers_like_the_original(keras, build, shape):
    model = build(keras)
    generator = np.random.default_rng(1)
    model.set_weights([generator.uniform(0.1, 1, weight.shape) for weight in model.get_weights()])
    inputs = generator.normal(size=shape).astype("float32")
    there = over(model)
    assert there is not model
    assert np.array_equal(np.asarray(there(inputs)), np.asarray(model(inputs)))
    assert there.count_params() == model.count_params()
    assert [type(layer) for layer in there.layers] == [type(layer) for layer in model.layers]


def test_how_it_was_compiled_comes_along_where_it_is_plain(keras):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    rate = keras.optimizers.schedules.CosineDecay(0.03, decay_steps=10)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse", metrics=["mae"])
    model.fit(np.ones((6, 2)), np.ones(6), batch_size=2, epochs=1, verbose=0)
    there = over(model)
    assert (type(there.optimizer).__name__, there.loss) == ("Adam", "mse")
    assert int(there.optimizer.iterations) == 3
    assert np.isclose(float(there.optimizer.learning_rate), float(model.optimizer.learning_rate))
    assert np.allclose(
        there.evaluate(np.zeros((4, 2)), np.ones(4), verbose=0), model.evaluate(np.zeros((4, 2)), np.ones(4), verbose=0)
    )
    model.compile(loss=lambda truth, guess: keras.ops.mean(truth - guess))
    assert over(model).loss is None  # code stays where it is


def test_a_model_trained_on_is_the_same_object_with_new_weights(keras):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    rebuilder = Rebuilder()
    first = over(model, rebuilder)
    before = first.get_weights()[0].copy()
    model.set_weights([weight + 1 for weight in model.get_weights()])
    again = over(model, rebuilder)
    assert again is first
    assert np.allclose(again.get_weights()[0], before + 1)
    model.add(keras.layers.Dense(2))
    assert len(over(model, rebuilder).layers) == 2


def test_layers_travel_alone(keras):
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    there = over(layer)
    assert isinstance(there, keras.layers.Dense)
    assert np.array_equal(there.kernel, layer.kernel)


def test_adapted_normalisation_keeps_what_it_learned(keras):
    layer = keras.layers.Normalization()
    layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    model = keras.Sequential([keras.Input((2,)), layer])
    inputs = np.array([[2.0, 5.0]])
    assert np.allclose(over(model)(inputs), model(inputs))
    assert np.allclose(over(model)(inputs), [[0.0, -1.5]])


def test_models_with_code_of_their_own_stay_where_they_are(keras):
    class Own(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    class Network(keras.Model):
        pass

    class Hidden(keras.layers.Dense):
        pass

    def bend(inputs):
        return inputs

    for build in (
        lambda: Network(),
        lambda: keras.Sequential([keras.Input((2,)), Own()]),
        lambda: keras.Sequential([keras.Input((2,)), Hidden(2)]),
        lambda: keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda inputs: inputs)]),
        lambda: keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation=bend)]),
        lambda: keras.Sequential([keras.Sequential([keras.Input((2,)), Own()])]),
    ):
        with pytest.raises(NotTransportable):
            describe(build())


DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None}


def changed(**changes):
    return {**copy.deepcopy(DENSE), **changes}


@pytest.mark.parametrize(
    "description",
    [
        changed(module="os", class_name="system"),
        changed(module="builtins", class_name="eval"),
        changed(module="keras.src.utils.file_utils", class_name="get_file"),
        changed(class_name="Lambda"),
        changed(class_name="TFSMLayer", config={"filepath": "/etc"}),
        changed(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
        changed(class_name="Dense\0"),
        changed(class_name=["Dense"]),
        changed(registered_name="Own>Dense"),
        changed(compile_config={"optimizer": "adam"}),
        changed(config={"units": 2, "activation": {"class_name": "function", "module": "os", "config": "abort"}}),
        changed(config={"units": 2, "activation": {"class_name": "__lambda__", "config": {"value": "x"}}}),
        changed(
            config={"units": 2, "kernel_initializer": {"module": "subprocess", "class_name": "Popen", "config": {}}}
        ),
        changed(config={"units": 2, "x": {"module": "keras.layers", "class_name": "Lambda", "config": {}}}),
        changed(config={"units": 2, "x": [[{"registered_name": "y"}]]}),
        changed(config={"class_name": "__typespec__", "config": [], "spec_name": "TensorSpec"}),
        changed(config={"units": b"2"}),
        changed(config={1: 2}),
        changed(config={"name": "a\nb"}),
        changed(config="Dense"),
        "keras.layers.Dense",
        ["Dense"],
        None,
    ],
)
def test_descriptions_name_nothing_outside_the_tables(description):
    with pytest.raises(NotTransportable):
        check_description(description)
    content = {"object": description, "weights": [], "compile": None, "iterations": 0}
    with pytest.raises(ChannelError):
        Rebuilder().rebuild(1, content)


def test_endless_descriptions_are_refused():
    deep = DENSE
    for _ in range(200):
        deep = changed(config={"layer": deep})
    for description in (deep, changed(config={"x": list(range(200_000))})):
        with pytest.raises(NotTransportable, match="too large"):
            check_description(description)


def test_every_class_of_the_tables_exists(keras):
    import sys

    for module, name in model_transport._ALLOWED:
        if (module, name) != ("keras", "Functional"):  # written by Keras, found by it under another name
            assert hasattr(sys.modules[module], name), (module, name)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [np.zeros((3, 3)), np.zeros(1)]},
        {"weights": [np.zeros((2, 1))]},
        {"weights": []},
        {"weights": [[0.0]]},
        {"weights": np.zeros(2)},
        {"iterations": -1},
        {"iterations": 2.0},
        {"compile": {"loss": {"module": "os", "class_name": "abort", "config": {}}}},
        {"compile": {"loss": b"mse"}},
        {"compile": ["mse"]},
        {"surplus": 1},
    ],
)
def test_contents_that_do_not_fit_are_refused(keras, change):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ChannelError):
        Rebuilder().rebuild(1, {**describe(model), **change})


def test_tensors_and_generators_travel_by_value(keras):
    import tensorflow as tf

    def there(value):
        return decode(encode(value, model_transport.export_value), model_transport.resolve_value)

    for tensor in (tf.constant([1.5, 2.0]), tf.Variable([1.5, 2.0]), keras.Variable([1.5, 2.0])):
        assert isinstance(there(tensor), tf.Tensor)
        assert there(tensor).numpy().tolist() == [1.5, 2.0]
    generator = np.random.default_rng(5)
    generator.random(3)
    assert np.array_equal(there(generator).random(9), generator.random(9))
    assert there([range(2, 9, 3), slice(None, 4), float, np.float32]) == [
        range(2, 9, 3),
        slice(None, 4),
        float,
        np.float32,
    ]
    assert there(np.dtype("float32")) == np.dtype("float32")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("generator", [1, 2, 3]),
        ("generator", [2**200, 1, 0, 0]),
        ("generator", [1, 1, 7, 0]),
        ("tensor", [1.0]),
        ("range", [0, 1, 0]),
        ("range", [0, 1.0, 1]),
        ("slice", [0, print, 1]),
        ("type", "builtins.eval"),
        ("type", "os.system"),
        ("dtype", "O"),
        ("dtype", "<f99"),
        ("pickle", b""),
    ],
)
def test_other_values_do_not_travel(kind, content):
    with pytest.raises(ChannelError):
        model_transport.resolve_value(kind, content)
