"""The conveyor: exactly one order of the loops is without fault, and the leaks are those that matter."""

import itertools

import javascript
import numpy as np
import pytest

from course_lib.explorables import ProjectConveyor
from course_lib.explorables.project_conveyor import RIGHT_LANE, SOLUTION, STEPS, TRAY, faults

NUMBER = {step: number for number, step in enumerate(STEPS)}


def moved(lanes, step, lane, at=99):
    left = [[one for one in members if one != NUMBER[step]] for members in lanes]
    left[lane].insert(at, NUMBER[step])
    return left


def random_lanes(generator):
    lanes = [[] for _ in range(5)]
    for step in generator.permutation(10).tolist():
        lanes[generator.integers(5)].append(step)
    return lanes


def test_the_answer_is_without_fault_and_every_other_place_is_not():
    assert faults(SOLUTION) == []
    for step, right in RIGHT_LANE.items():
        for lane in {1, 2, 3, 4} - {right}:
            found = faults(moved(SOLUTION, step, lane))
            assert NUMBER[step] in [one for one, _, _ in found], (step, lane)


def test_within_the_loop_only_one_order_works():
    loop = SOLUTION[2]
    for order in itertools.permutations(loop):
        lanes = [*SOLUTION[:2], list(order), *SOLUTION[3:]]
        assert (faults(lanes) == []) == (list(order) == loop)


def test_before_the_training_the_weights_may_be_drawn_at_any_time():
    for at in range(4):
        assert faults(moved(SOLUTION, "initialise", 1, at)) == []


@pytest.mark.parametrize(
    ("step", "lane", "at", "leaks"),
    [
        ("normalise", 1, 1, True),
        ("test", 3, 0, True),
        ("test", 2, 0, True),
        ("split", 3, 0, True),
        ("validate", 4, 0, False),
    ],
)
def test_what_leaks_is_called_a_leak(step, lane, at, leaks):
    found = faults(moved(SOLUTION, step, lane, at))
    assert [leak for one, _, leak in found if one == NUMBER[step]] == [leaks]


def test_the_tray_is_not_judged_and_gives_nothing_away():
    assert faults([list(TRAY), [], [], [], []]) == []
    assert sorted(TRAY) == list(range(10)) != list(TRAY)


def test_both_languages_find_the_same_faults():
    states = javascript.random_states(ProjectConveyor, 60, seed=8, lanes=random_lanes)
    for state, theirs in zip(
        states, javascript.call(ProjectConveyor, [("faults", s["lanes"]) for s in states]), strict=True
    ):
        assert [tuple(one) for one in theirs] == faults(state["lanes"])


def test_moving_a_card_keeps_every_card_once():
    generator = np.random.default_rng(9)
    calls = []
    for _ in range(40):
        calls.append(("moved", random_lanes(generator), *(int(generator.integers(n)) for n in (10, 5, 7))))
    for (_, _, step, lane, at), lanes in zip(calls, javascript.call(ProjectConveyor, calls), strict=True):
        assert sorted(itertools.chain(*lanes)) == list(range(10))
        assert lanes[lane].index(step) == min(at, len(lanes[lane]) - 1)


@pytest.mark.parametrize(
    "lanes", [[[0]], [list(range(10)), [], [], [], [9]], [[True, *range(1, 10)], [], [], [], []], "0123456789"]
)
def test_lanes_that_lose_or_double_a_step_are_refused(lanes):
    with pytest.raises(ValueError, match="lanes must be 5 lists that together hold each of the steps 0 to 9 once"):
        ProjectConveyor(lanes=lanes)
