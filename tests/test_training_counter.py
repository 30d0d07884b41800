"""Counts of parameters and steps against the syllabus' numbers, arrays that are really made, and JavaScript."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import TrainingCounter
from course_lib.explorables.training_counter import counted, memory_text, training_count

TRAINING = {"events": 3000, "validation_percent": 0, "batch_size": 5, "epochs": 2}


@pytest.mark.parametrize(
    ("inputs", "layers", "nodes", "outputs", "parameters"),
    [(2, 1, 2, 1, 9), (11, 1, 20, 1, 261), (11, 3, 20, 1, 1101), (8, 3, 64, 2, 9026), (1024, 2, 32, 1, 33_889)],
)
def test_parameters_of_known_networks(inputs, layers, nodes, outputs, parameters):
    count = training_count(inputs=inputs, layers=layers, nodes=nodes, outputs=outputs, **TRAINING)
    assert count.parameters == sum(count.per_layer) == parameters


def test_parameters_are_the_entries_of_matrices_that_multiply():
    generator = np.random.default_rng(1)
    for _ in range(20):
        inputs, layers, nodes, outputs = (int(n) for n in generator.integers(1, 9, size=4))
        value, entries = np.ones(inputs), 0
        for size in [*[nodes] * layers, outputs]:
            weights, biases = np.ones((len(value), size)), np.ones(size)
            value = value @ weights + biases
            entries += weights.size + biases.size
        assert (
            training_count(inputs=inputs, layers=layers, nodes=nodes, outputs=outputs, **TRAINING).parameters == entries
        )


@pytest.mark.parametrize(
    ("events", "percent", "batch", "steps"),
    [(3000, 0, 5, 600), (20_000, 10, 64, 282), (200, 0, 1024, 1), (1000, 33, 256, 3)],
)
def test_an_epoch_has_as_many_steps_as_slices_of_the_training_part(events, percent, batch, steps):
    described = {"events": events, "validation_percent": percent, "batch_size": batch, "epochs": 7}
    count = training_count(inputs=1, layers=0, nodes=2, outputs=1, **described)
    slices = list(range(0, count.training_events, batch))
    assert count.steps_per_epoch == len(slices) == steps
    assert count.steps == 7 * steps


def test_both_languages_count_the_same():
    states = javascript.random_states(TrainingCounter, 60, seed=4)
    for state, theirs in zip(
        states, javascript.call(TrainingCounter, [("trainingCount", s) for s in states]), strict=True
    ):
        assert list(theirs.values()) == list(TrainingCounter(**state).count())


def test_numbers_are_written_for_people():
    assert counted(1_234_567) == "1\u202f234\u202f567"
    assert [memory_text(n) for n in (999, 1_050, 2.5e9)] == ["999 B", "1.1 kB", "2.5 GB"]
