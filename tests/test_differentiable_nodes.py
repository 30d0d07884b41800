"""Thirteen parameters: the gradient against finite differences, the training against its JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import DifferentiableNodes
from course_lib.explorables import differentiable_nodes as module


def loss_at(parameters, activation, squashed):
    return module._evaluate(np.asarray(parameters), activation, squashed)[1]


@pytest.mark.parametrize("squashed", [False, True])
@pytest.mark.parametrize("activation", module.ACTIVATIONS)
def test_the_gradient_is_that_of_finite_differences(activation, squashed):
    # A place where no point of the data lies near the kink of a ReLU or the jump of a step.
    generator = np.random.default_rng(11)
    parameters, width = np.array(module.FIRST_PARAMETERS) + 0.013 * generator.normal(size=module.N_PARAMETERS), 1e-6
    _, _, gradient = module._evaluate(parameters, activation, squashed)
    for index in range(module.N_PARAMETERS):
        shift = width * np.eye(module.N_PARAMETERS)[index]
        slope = loss_at(parameters + shift, activation, squashed) - loss_at(parameters - shift, activation, squashed)
        assert gradient[index] == pytest.approx(slope / (2 * width), abs=1e-7), module.PARAMETER_NAMES[index]


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_smooth_nodes_learn(activation):
    losses = module.train(activation, False, module.MOST_STEPS).losses
    assert losses[-1] < 0.6 * losses[0]


def test_step_nodes_keep_their_weights_and_a_step_at_the_output_keeps_everything():
    hidden = 2 * module.N_NODES
    trained = module.train("step", False, module.MOST_STEPS)
    np.testing.assert_array_equal(trained.parameters[:hidden], module.FIRST_PARAMETERS[:hidden])
    assert trained.losses[-1] < trained.losses[0]  # the output weights still learn
    trained = module.train("step", True, module.MOST_STEPS)
    np.testing.assert_array_equal(trained.parameters, module.FIRST_PARAMETERS)
    assert len(set(trained.losses)) == 1


def test_both_languages_train_alike():
    states = javascript.random_states(DifferentiableNodes, 30, seed=12)
    for state, theirs in zip(states, javascript.call(DifferentiableNodes, [("train", s) for s in states]), strict=True):
        ours = DifferentiableNodes(**state).trained()
        for name in ("parameters", "gradient", "losses", "prediction"):
            np.testing.assert_allclose(theirs[name], getattr(ours, name), rtol=0, atol=1e-9, err_msg=name)
