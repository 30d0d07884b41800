"""Figures 4.3 and 4.6 against Keras, finite differences, stability limits, and their JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import OptimiserPaths
from course_lib.explorables.optimiser_paths import (
    OPTIMISERS,
    descend,
    gradient,
    landscapes,
    line_points,
    loss,
)


def follow(
    optimiser, learning_rate, *, landscape="valley", beta=0.9, batch_size=64, start=(-4.2, 1.2), n_steps=100, seed=0
):
    return np.array(
        descend(landscape, optimiser, learning_rate, beta, batch_size, list(start), n_steps, seed=seed).points
    )


def test_the_quadratic_form_of_the_line_fit_is_its_mean_squared_error():
    x, y = np.array(line_points()).T
    weight, bias = np.polyfit(x, y, 1)
    assert landscapes()["line"].minimum == pytest.approx((weight, bias))
    for point in np.random.default_rng(1).normal(size=(20, 2)):
        assert loss("line", point) == pytest.approx(np.mean((point[0] * x + point[1] - y) ** 2))
        assert gradient("line", point) == pytest.approx(gradient("line", point, range(64)))


@pytest.mark.parametrize("landscape", ["valley", "line"])
def test_the_gradient_is_a_central_difference(landscape):
    for point in np.random.default_rng(2).normal(size=(20, 2)):
        for axis, direction in enumerate(np.eye(2) * 1e-5):
            expected = (loss(landscape, point + direction) - loss(landscape, point - direction)) / 2e-5
            assert gradient(landscape, point)[axis] == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_the_strategies_step_as_keras_does():
    keras = pytest.importorskip("keras")
    with_keras = {
        "sgd": keras.optimizers.SGD(0.05),
        # Keras leaves out the factor 1 - beta, so its learning rate must contain it.
        "momentum": keras.optimizers.SGD(0.05 * 0.1, momentum=0.9),
        "adagrad": keras.optimizers.Adagrad(0.05, initial_accumulator_value=0.0, epsilon=1e-8),
        "rmsprop": keras.optimizers.RMSprop(0.05, rho=0.9, epsilon=1e-14),
        "adam": keras.optimizers.Adam(0.05, beta_1=0.9, epsilon=1e-8),
    }
    assert with_keras.keys() == OPTIMISERS.keys()
    for name, optimizer in with_keras.items():
        point = keras.Variable([-4.2, 1.2])
        expected = [point.numpy()]
        for _ in range(12):
            optimizer.apply([keras.ops.array([1.0, 25.0]) * point], [point])
            expected.append(point.numpy())
        np.testing.assert_allclose(follow(name, 0.05, n_steps=12), expected, rtol=2e-4, atol=2e-4, err_msg=name)


def test_plain_descent_explodes_above_two_over_the_largest_curvature_and_momentum_survives():
    assert abs(follow("sgd", 0.07)[-1, 1]) < 1e-6
    assert abs(follow("sgd", 0.08)[-1, 1]) == pytest.approx(1.2)
    assert abs(follow("sgd", 0.09)[-1, 1]) > 1e3
    survivor = follow("momentum", 0.3, n_steps=150)[-1]
    assert np.hypot(*survivor) < 0.05
    # Momentum has an edge too: 2 (1 + beta) / (1 - beta) / 25 = 1.52.
    assert np.abs(follow("momentum", 1.5, n_steps=150)[-1, 1]) < 3
    assert np.hypot(*follow("sgd", 0.3)[-1]) > 1e5


def test_adaptive_strategies_do_not_know_the_scale_of_an_axis():
    for name in ("adagrad", "rmsprop", "adam"):
        path = follow(name, 0.01, start=(2.0, 2.0), n_steps=5)
        assert path[:, 0] == pytest.approx(path[:, 1], abs=1e-3)


def test_small_batches_scatter_with_one_over_the_square_root_of_their_size():
    point, spread = [1.5, 0.2], {}
    for size in (1, 4, 16):
        steps = np.array(
            [
                follow("sgd", 1.0, landscape="line", batch_size=size, start=point, n_steps=1, seed=seed)[1]
                for seed in range(100)
            ]
        )
        spread[size] = (np.array(point) - steps).std(axis=0).mean()
    assert spread[1] / spread[4] == pytest.approx(2, rel=0.3)
    assert spread[4] / spread[16] == pytest.approx(2, rel=0.3)


def test_a_path_that_flies_off_ends_before_the_numbers_do():
    path = follow("sgd", 1.5, n_steps=150)
    assert np.isfinite(path).all() and len(path) < 20


def test_both_languages_walk_alike():
    draw = lambda generator: generator.uniform(-3, 3, 2).round(2)  # noqa: E731
    states = javascript.random_states(OptimiserPaths, 60, seed=9, start=draw)
    results = javascript.call(OptimiserPaths, [("descend", state) for state in states])
    for state, theirs in zip(states, results, strict=True):
        ours = OptimiserPaths(**state).path()
        assert len(ours.points) == len(theirs["points"])
        np.testing.assert_allclose(theirs["points"], ours.points, rtol=1e-6, atol=1e-8)
        if ours.gradients:
            np.testing.assert_allclose(theirs["memories"], ours.memories, rtol=1e-6, atol=1e-8)


def test_the_static_figure_follows_the_path():
    figure = OptimiserPaths(compare=True, step=20).static_figure()
    names = [trace.name for trace in figure.data if trace.name]
    assert set(names) == set(OPTIMISERS.values())
    path = next(trace for trace in figure.data if trace.name == "SGD")
    np.testing.assert_allclose(np.column_stack([path.x, path.y]), follow("sgd", 0.07, n_steps=20), rtol=1e-5)
