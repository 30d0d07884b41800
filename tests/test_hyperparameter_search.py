"""Figure 5.7: what a grid and a random search try, who wins when, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import HyperparameterSearch
from course_lib.explorables.hyperparameter_search import grid_trials, random_trials, validation_loss


@pytest.mark.parametrize("n_trials", [4, 9, 16, 25])
def test_a_grid_repeats_its_values_and_a_random_search_does_not(n_trials):
    side = round(n_trials**0.5)
    assert [len(np.unique(grid_trials(n_trials)[:, axis])) for axis in (0, 1)] == [side, side]
    assert [len(np.unique(random_trials(n_trials, 3)[:, axis])) for axis in (0, 1)] == [n_trials, n_trials]


def test_random_wins_where_one_hyperparameter_matters_and_not_where_both_do():
    places = np.linspace(0.1, 0.9, 33)
    won = {
        surface: np.mean([HyperparameterSearch(surface=surface, best_first=place).share_won() for place in places])
        for surface in ("one", "both")
    }
    assert won["one"] > 0.6
    assert won["both"] < 0.5


@pytest.mark.parametrize("surface", ["one", "both", "ridge"])
def test_the_smallest_loss_lies_where_it_should(surface):
    first, second = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
    losses = validation_loss(surface, 0.3, first, second)
    at = np.unravel_index(losses.argmin(), losses.shape)
    assert (first[at], second[at]) == (pytest.approx(0.3), pytest.approx(0.4))
    assert losses.min() == pytest.approx(0.2) and losses.max() <= 1.2


def test_both_languages_search_alike():
    draw = lambda generator: round(float(generator.uniform(0.05, 0.95)), 3)  # noqa: E731
    states = [
        HyperparameterSearch(**state).state
        for state in javascript.random_states(HyperparameterSearch, 30, seed=8, best_first=draw)
    ]
    shares = javascript.call(HyperparameterSearch, [("shareWon", state) for state in states])
    assert shares == [HyperparameterSearch(**state).share_won() for state in states]
    theirs = javascript.call(HyperparameterSearch, [("randomTrials", 9, 17)])[0]
    np.testing.assert_array_equal(theirs, random_trials(9, 17))
