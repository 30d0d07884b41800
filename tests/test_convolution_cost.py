"""Costs of modules against Keras' own counting, separability against a brute-force fit, and JavaScript."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import ConvolutionCost
from course_lib.explorables.convolution_cost import inception_cost, random_kernel, separable_cost, separable_error


@pytest.mark.slow
@pytest.mark.parametrize("bottleneck", [0, 8])
def test_parameters_are_those_that_keras_makes(bottleneck):
    keras = pytest.importorskip("keras")
    channels, filters = 16, {"1": 4, "3": 8, "5": 16, "pool": 4}
    image = keras.Input((8, 8, channels))
    narrow = lambda: keras.layers.Conv2D(bottleneck, 1)(image) if bottleneck else image  # noqa: E731
    branches = [
        keras.layers.Conv2D(filters["1"], 1)(image),
        keras.layers.Conv2D(filters["3"], 3, padding="same")(narrow()),
        keras.layers.Conv2D(filters["5"], 5, padding="same")(narrow()),
        keras.layers.Conv2D(filters["pool"], 1)(keras.layers.MaxPooling2D(3, strides=1, padding="same")(image)),
    ]
    model = keras.Model(image, keras.layers.Concatenate()(branches))
    assert sum(inception_cost(channels, *filters.values(), bottleneck).parameters) == model.count_params()
    separable = keras.Sequential([image, keras.layers.SeparableConv2D(12, 5, use_bias=False)])
    assert sum(separable_cost(channels, 12, 5).weights[1:]) == separable.count_params()


def test_numbers_of_the_syllabus():
    assert sum(inception_cost(64, 0, 0, 64, 0, 0).weights) == 102_400
    assert sum(ConvolutionCost().cost().parameters) == pytest.approx(13_000, rel=0.05)
    for channels, filters, kernel in [(3, 8, 3), (64, 32, 7)]:
        standard, *parts = separable_cost(channels, filters, kernel).weights
        assert sum(parts) / standard == pytest.approx(1 / filters + 1 / kernel**2)


def test_no_separable_kernel_is_closer_than_the_leading_singular_term():
    """Alternating least squares from random starts finds nothing better, and comes as close."""
    drawn, generator, kept = random_kernel(3, 5), np.random.default_rng(5), 0
    for matrix in drawn:
        depth = generator.normal(size=9)
        for _ in range(300):
            point = matrix.T @ depth / (depth @ depth)
            depth = matrix @ point / (point @ point)
        kept += (matrix**2).sum() - ((matrix - np.outer(depth, point)) ** 2).sum()
    assert separable_error(3, 5) == pytest.approx(np.sqrt(1 - kept / (drawn**2).sum()), abs=1e-6)


def test_both_languages_count_the_same():
    states = javascript.random_states(ConvolutionCost, 40, seed=7)
    calls = [(name, state) for state in states for name in ("moduleCost", "separableError")]
    results = iter(javascript.call(ConvolutionCost, calls))
    for state in states:
        assert next(results) == ConvolutionCost(**state).cost()._asdict()
        assert next(results) == pytest.approx(separable_error(state["kernel"], state["seed"]), abs=1e-6)
