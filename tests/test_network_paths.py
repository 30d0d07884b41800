"""Figure 1.3 against matrix products, finite differences, linearity, and its JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import NetworkPaths
from course_lib.explorables import network_paths as model


def by_matrices(inputs, weights, biases, bend):
    weights, biases = np.array(weights, dtype=float), np.array(biases, dtype=float)
    first = bend(np.array(inputs) @ weights[:9].reshape(3, 3) + biases[:3])
    second = bend(first @ weights[9:18].reshape(3, 3) + biases[3:6])
    return first, second, (second @ weights[18:] + biases[6]).item()


@pytest.fixture
def networks():
    generator = np.random.default_rng(6)
    return [(generator.uniform(-2, 2, 3), generator.uniform(-2, 2, 21), generator.uniform(-2, 2, 7)) for _ in range(20)]


def test_the_response_is_that_of_matrix_products(networks):
    for inputs, weights, biases in networks:
        for activation, bend in ((True, lambda x: np.maximum(x, 0)), (False, lambda x: x)):
            response = model.respond(inputs, weights, biases, activation=activation)
            first, second, output = by_matrices(inputs, weights, biases, bend)
            np.testing.assert_allclose(response.first, first, atol=1e-12)
            np.testing.assert_allclose(response.second, second, atol=1e-12)
            assert response.output == pytest.approx(output, abs=1e-12)


def test_without_activation_the_output_is_a_plane_and_with_it_is_not(networks):
    """On a plane the value half-way between two points is the mean of their values."""
    bent = 0
    for inputs, weights, biases in networks:
        other = inputs[::-1]
        for activation in (False, True):
            left, middle, right = (
                model.respond(point, weights, biases, activation=activation).output
                for point in (inputs, (inputs + other) / 2, other)
            )
            if activation:
                bent += abs(middle - (left + right) / 2) > 1e-6
            else:
                assert middle == pytest.approx((left + right) / 2, abs=1e-10)
    assert bent > 5


def test_the_shift_of_a_fixed_network_follows_its_slope():
    inputs, tiny = [1, -0.5, 0.8], 1e-6
    up, down = (model.respond([1 + sign * tiny, -0.5, 0.8], model.WEIGHTS, model.BIASES).output for sign in (1, -1))
    slope = (up - down) / (2 * tiny)
    assert model.shifted_output(inputs, model.WEIGHTS, model.BIASES) == pytest.approx(0.02 * slope, rel=1e-3)


def test_other_inputs_use_other_paths():
    awake = [
        tuple(value > 0 for value in model.respond(inputs, model.WEIGHTS, model.BIASES).first)
        for inputs in ([1, -0.5, 0.8], [-1, 1, 0], [1, 1, -1])
    ]
    assert len(set(awake)) == 3


def test_both_languages_agree():
    draw = lambda generator, count: np.round(generator.uniform(-2, 2, count), 3)  # noqa: E731
    states = javascript.random_states(
        NetworkPaths,
        40,
        seed=8,
        weights=lambda g: draw(g, 21),
        biases=lambda g: draw(g, 7),
        x_1=lambda g: draw(g, 1)[0],
    )
    inputs = [[state[name] for name in ("x_1", "x_2", "x_3")] for state in states]
    calls = [("respond", point, state) for point, state in zip(inputs, states, strict=True)]
    calls += [("shiftedOutput", state) for state in states]
    results = javascript.call(NetworkPaths, calls)
    for point, state, theirs, shift in zip(inputs, states, results[:40], results[40:], strict=True):
        ours = model.respond(point, state["weights"], state["biases"], activation=state["activation"])
        assert theirs["output"] == pytest.approx(ours.output, abs=1e-12)
        assert theirs["first"] == pytest.approx(ours.first, abs=1e-12)
        expected = model.shifted_output(point, state["weights"], state["biases"], activation=state["activation"])
        assert shift == pytest.approx(expected, abs=1e-12)


def test_the_static_figure_draws_every_link_and_node():
    figure = NetworkPaths().static_figure()
    scatters = [trace for trace in figure.data if trace.type == "scatter"]
    lines = [trace for trace in scatters if trace.mode == "lines"]
    (nodes,) = [trace for trace in scatters if trace.mode == "markers+text"]
    assert len(lines) == model.N_WEIGHTS and len(nodes.x) == sum(model.LAYERS)
