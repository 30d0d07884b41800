"""Section 3.4: the best fit against a general solver, rates of convergence, the first training step, JavaScript."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import FunctionApproximator
from course_lib.explorables import function_approximator as module
from course_lib.explorables.function_approximator import (
    GRID,
    POINT_PLACES,
    TARGET_LABELS,
    TRAINING_GRID,
    Network,
    first_weights,
    largest_error,
    relu_fit,
    step_sum,
    target,
    trained_network,
)

HEIGHTS = [0.2, -1, 0.5, 1.5, 0, 0, -0.7, 0.4, 1]


@pytest.mark.parametrize("kind", TARGET_LABELS)
@pytest.mark.parametrize("n_nodes", [1, 2, 7, 40])
def test_the_relu_fit_is_the_least_squares_solution(kind, n_nodes):
    values = target(kind, HEIGHTS, GRID)
    network = relu_fit(values, n_nodes)
    hidden = np.maximum(GRID[:, None] * network.weights + network.biases, 0)
    solution = np.linalg.lstsq(np.column_stack([hidden, np.ones_like(GRID)]), values, rcond=None)[0]
    np.testing.assert_allclose(network(GRID), np.column_stack([hidden, np.ones_like(GRID)]) @ solution, atol=1e-9)


def test_the_error_of_a_smooth_target_falls_with_the_square_of_the_nodes():
    errors = [FunctionApproximator(nodes=n).error() for n in (8, 16, 32)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)


def test_a_jump_stays_wrong_in_the_maximum_but_not_in_the_mean():
    for kind in ("relu", "step"):
        approximations = [FunctionApproximator(target="jump", kind=kind, nodes=n) for n in (9, 99)]
        assert min(each.error() for each in approximations) > 0.4
        rms = [np.sqrt(np.mean((each.network()(GRID) - target("jump", [], GRID)) ** 2)) for each in approximations]
        assert rms[1] < 0.5 * rms[0]


def test_eight_nodes_pass_through_nine_points():
    assert FunctionApproximator(target="points", nodes=8, heights=[HEIGHTS]).error() < 1e-12
    np.testing.assert_allclose(target("points", HEIGHTS, POINT_PLACES), HEIGHTS)


def test_sharp_sigmoids_make_stairs_of_the_right_heights():
    network = step_sum("sine", HEIGHTS, 9, 40)
    middles = -1 + 0.2 * (np.arange(10) + 0.5)
    np.testing.assert_allclose(network(middles), np.sin(np.pi * middles), atol=1e-6)


def test_nothing_is_promised_outside():
    network = FunctionApproximator(nodes=100).network()
    assert abs(network(1.5) - np.sin(1.5 * np.pi)) > 0.4


def test_the_training_descends_and_its_gradient_is_right():
    network = first_weights(6, 3)

    def loss(parameters):
        weights, biases, factors, constant = np.split(parameters, [6, 12, 18])
        difference = Network("relu", weights, biases, factors, constant[0])(TRAINING_GRID)
        return np.mean((difference - np.sin(np.pi * TRAINING_GRID)) ** 2)

    start = np.concatenate([network.weights, network.biases, network.factors, [network.constant]])
    steps = np.eye(19) * 1e-6
    slope = np.array([(loss(start + step) - loss(start - step)) / 2e-6 for step in steps])
    # The first step of Adam goes by the learning rate against the sign of each slope.
    moved = module._trained.__wrapped__
    original = module.STEPS_PER_ROUND
    try:
        module.STEPS_PER_ROUND = 1
        after, first, _, count = moved("sine", (0.0,) * 9, 6, 3, 1)
    finally:
        module.STEPS_PER_ROUND = original
        module._trained.cache_clear()
    assert count == 1
    np.testing.assert_allclose(first / 0.1, slope, atol=1e-6)
    np.testing.assert_allclose(after - start, -0.02 * np.sign(slope) * (np.abs(slope) > 1e-12), atol=1e-5)
    long = trained_network("sine", (0.0,) * 9, 8, 1, 30)
    assert largest_error(long, "sine", HEIGHTS) < 0.5 * largest_error(first_weights(8, 1), "sine", HEIGHTS)


def test_another_number_of_nodes_is_another_training():
    state = FunctionApproximator(kind="step", rounds=7).state
    assert state["rounds"] == 0  # steps are built, not trained


def test_both_languages_compute_the_same_networks():
    draw = lambda generator: np.round(generator.uniform(-1.5, 1.5, (1, 9)), 2)  # noqa: E731
    states = javascript.random_states(FunctionApproximator, 40, seed=5, heights=draw)
    states = [FunctionApproximator(**state).state for state in states]
    results = javascript.call(
        FunctionApproximator,
        [("construct", state, state["nodes"]) for state in states] + [("trainedNetwork", state) for state in states],
    )
    for state, theirs, trained in zip(states, results[:40], results[40:], strict=True):
        approximator = FunctionApproximator(**state)
        ours = approximator.network()
        for name in ("weights", "biases", "factors", "constant"):
            np.testing.assert_allclose(theirs[name], getattr(ours, name), atol=1e-8, err_msg=str(state))
        np.testing.assert_allclose(trained["factors"], approximator.trained().factors, atol=1e-6)


def test_the_static_figure_has_target_network_and_errors():
    figure = FunctionApproximator(nodes=3, rounds=2).static_figure()
    assert [trace.name for trace in figure.data[:3]] == ["target", "3 nodes", "trained"]
    assert figure.data[3].y[2] == pytest.approx(FunctionApproximator(nodes=3).error())
