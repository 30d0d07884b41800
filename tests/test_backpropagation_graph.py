"""Figure 4.2 against the worked example, the lecture's graphs, finite differences, and its JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import BackpropagationGraph
from course_lib.explorables.backpropagation_graph import ACTIVATIONS, GRAPHS, finite_difference, propagate


def test_the_opening_state_is_the_worked_example():
    found = BackpropagationGraph().propagation()
    assert [found.values[name] for name in ("z₁", "z₂", "z₃", "L")] == pytest.approx([0.5, 0.6, 0.6, 0.16])
    factors = [found.slopes["L"][0], found.slopes["z₃"][0], found.slopes["z₂"][0], found.slopes["z₁"][0]]
    assert factors == pytest.approx([-0.8, 1, 1, 1])
    assert [found.gradients[name] for name in ("W", "b")] == pytest.approx([-0.8, -0.8])


def test_a_relu_that_is_off_hands_nothing_back():
    found = propagate("node", [-0.5, 0.1, 1, 1], activation="relu")
    assert (found.gradients["W"], found.gradients["b"]) == (0, 0)
    assert found.gradients["y"] == 2


def test_slopes_of_two_paths_add_up():
    # e = (a + b)(b + 1), so de/db = (b + 1) + (a + b).
    found = propagate("two_paths", [2, 1])
    assert (found.values["e"], found.gradients["a"], found.gradients["b"]) == (6, 2, 5)


def test_the_product_of_the_lecture():
    found = propagate("product", [-2, 5, -4])
    assert found.values["f"] == -12
    assert [found.gradients[name] for name in "xyz"] == [-4, -4, 3]


def test_the_sigmoid_neuron_of_the_lecture():
    found = propagate("neuron", [2, -1, -3, -2, -3])
    assert found.values["f"] == pytest.approx(0.7311, abs=1e-4)
    ours = [found.gradients[name] for name in ("w₀", "x₀", "w₁", "x₁", "w₂")]
    assert ours == pytest.approx([-0.197, 0.393, -0.393, -0.590, 0.197], abs=1e-3)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_central_differences(graph, activation):
    generator = np.random.default_rng(4)
    for _ in range(10):
        inputs = generator.uniform(0.2, 1.5, len(GRAPHS[graph].inputs))  # positive: ReLU keeps off its kink
        gradients = propagate(graph, inputs, activation=activation).gradients
        for index, name in enumerate(GRAPHS[graph].inputs):
            expected = finite_difference(graph, inputs, index, activation=activation)
            assert gradients[name] == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_both_languages_propagate_alike():
    generator = np.random.default_rng(6)
    states = []
    for _ in range(60):
        graph = str(generator.choice(list(GRAPHS)))
        inputs = generator.uniform(-3, 3, len(GRAPHS[graph].inputs)).round(2).tolist()
        states.append(
            BackpropagationGraph(graph=graph, inputs=inputs, activation=str(generator.choice(list(ACTIVATIONS)))).state
        )
    calls = [call for state in states for call in (("propagate", state), ("finiteDifference", state, 0))]
    results = javascript.call(BackpropagationGraph, calls)
    for index, state in enumerate(states):
        ours, theirs = BackpropagationGraph(**state).propagation(), results[2 * index]
        assert theirs["values"] == pytest.approx(ours.values, rel=1e-9, abs=1e-12)
        assert theirs["gradients"] == pytest.approx(ours.gradients, rel=1e-9, abs=1e-12)
        slope = finite_difference(state["graph"], state["inputs"], 0, activation=state["activation"])
        assert results[2 * index + 1] == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_another_graph_brings_its_own_inputs():
    shown = BackpropagationGraph(inputs=[1, 2, 3, 4])
    shown.state = {"graph": "product"}
    assert shown.state["inputs"] == [-2, 5, -4]
    assert shown.state["step"] == 4


@pytest.mark.parametrize("inputs", [[1], [1, 2, 3, 4, 5, 6], [1, float("nan")], [1, 99], "W", 3])
def test_inputs_that_are_no_list_of_numbers_are_refused(inputs):
    with pytest.raises(ValueError, match="BackpropagationGraph: inputs must"):
        BackpropagationGraph(inputs=inputs)


def test_the_static_figure_says_as_much_as_the_step_allows():
    def texts(step):
        return " ".join(BackpropagationGraph(step=step).static_figure().data[-1].text)

    assert "0.16" not in texts(3)
    assert "0.16" in texts(4) and "∂" not in texts(4)
    assert "∂L/∂W = −0.8" in texts(8)
