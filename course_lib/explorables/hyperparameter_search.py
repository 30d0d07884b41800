"""Figure 5.7: the same number of trainings on a grid and at random."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, integer, number, written
from course_lib.explorables.playground.data import uniform

#: Repetitions of the random search that are compared with the one grid.
N_REPETITIONS = 200

#: A point on the other axis where the loss is smallest.
BEST_SECOND = 0.4


def validation_loss(surface, best_first, first, second):
    """Loss that a training with two hyperparameters would reach, a made-up surface.

    Parameters
    ----------
    surface : {"one", "both", "ridge"}
        Only the first hyperparameter matters much; both do; only their difference does.
    best_first : float
        Where the loss is smallest along the first one.
    first, second : array_like
        Hyperparameters, each scaled to 0 to 1.

    Returns
    -------
    numpy.ndarray
        0.2 at the best place, up to 1.2.

    Examples
    --------
    >>> round(float(validation_loss("both", 0.3, 0.3, 0.4)), 9)
    0.2
    """
    first, second = np.asarray(first, dtype=float) - best_first, np.asarray(second, dtype=float) - BEST_SECOND
    distance2 = {
        "one": (first / 0.12) ** 2 + (second / 1.5) ** 2,
        "both": (first**2 + second**2) / 0.25**2,
        "ridge": ((first - second) / 0.12) ** 2 + ((first + second) / 2.0) ** 2,
    }[surface]
    return 1.2 - np.exp(-distance2)


def grid_trials(n_trials):
    """Places of a square grid, row by row, shape (n_trials, 2).

    Examples
    --------
    >>> grid_trials(4).tolist()
    [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    """
    side = round(n_trials**0.5)
    places = (np.arange(side) + 0.5) / side
    return np.column_stack([np.tile(places, side), np.repeat(places, side)])


def random_trials(n_trials, seed):
    """Random places, shape (n_trials, 2).

    Examples
    --------
    >>> random_trials(9, 1).shape
    (9, 2)
    """
    return uniform(seed, 8, 2 * n_trials).reshape(2, n_trials).T


class HyperparameterSearch(Explorable):
    """Spend the same number of trainings on a grid and at random, and compare the best validation losses.

    Parameters
    ----------
    surface : str
        ``"one"`` (one hyperparameter matters), ``"both"``, ``"ridge"`` (their difference matters).
    n_trials : int
        4, 9, 16 or 25.
    best_first : float
        Where the loss is smallest along the first hyperparameter, 0.05 to 0.95.
    seed : int
        Of the random search, 0 to 199.
    made : int
        Trials made so far, at most `n_trials`.

    Examples
    --------
    >>> search = HyperparameterSearch()
    >>> search.share_won() > 0.5
    True
    """

    name = "hyperparameter_search"
    title = "Grid or random?"
    figure = "Figure 5.7"
    goal = "Find out when a random search beats a grid of the same size, and why."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "surface": choice("one", ["one", "both", "ridge"], "which hyperparameters matter"),
        "n_trials": choice(9, [4, 9, 16, 25], "trainings that can be paid for"),
        "best_first": number(0.32, 0.05, 0.95, "best value of the first hyperparameter"),
        "seed": integer(4, 0, N_REPETITIONS - 1, "of the random search"),
        "made": integer(9, 0, 25, "trials made"),
    }

    @classmethod
    def constants(cls):
        return {"bestSecond": BEST_SECOND, "repetitions": N_REPETITIONS}

    def reconcile(self, state):
        state["made"] = min(state["made"], state["n_trials"])
        return state

    def best(self, trials):
        """Return the smallest loss among places (n, 2), or None without any."""
        state = self._state
        losses = validation_loss(state["surface"], state["best_first"], *np.asarray(trials).T)
        return float(losses.min()) if len(losses) else None

    def share_won(self):
        """Return the share of `N_REPETITIONS` random searches that end below the grid."""
        trials = np.array([random_trials(self._state["n_trials"], seed) for seed in range(N_REPETITIONS)])
        losses = validation_loss(self._state["surface"], self._state["best_first"], trials[..., 0], trials[..., 1])
        return float(np.mean(losses.min(axis=1) < self.best(grid_trials(self._state["n_trials"]))))

    def summary(self):
        state = self._state
        if not state["made"]:
            return "No trial made yet."
        both = [trials[: state["made"]] for trials in (grid_trials(state["n_trials"]), self.random())]
        values = [len(np.unique(trials[:, 0])) for trials in both]
        return (
            f"After {state['made']} of {state['n_trials']} trials the grid has tried {values[0]} values of θ₁ and "
            f"reached {written(self.best(both[0]))}, the random search {values[1]} and "
            f"{written(self.best(both[1]))}; random wins in {written(np.floor(100 * self.share_won() + 0.5))} % of "
            f"{N_REPETITIONS} repetitions."
        )

    def random(self):
        """Return the places of the present random search, shape (n_trials, 2)."""
        return random_trials(self._state["n_trials"], self._state["seed"])

    def static_figure(self):
        from plotly.subplots import make_subplots

        state = self._state
        figure = make_subplots(rows=1, cols=2, subplot_titles=["grid", "random"], horizontal_spacing=0.12)
        places = np.linspace(0, 1, 41).astype("float32")
        surface = validation_loss(state["surface"], state["best_first"], places[None, :], places[:, None])
        for column, trials in enumerate((grid_trials(state["n_trials"]), self.random()), start=1):
            figure.add_heatmap(
                x=places, y=places, z=surface.astype("float32"), coloraxis="coloraxis", row=1, col=column
            )
            figure.add_scatter(
                x=trials[:, 0],
                y=trials[:, 1],
                mode="markers",
                marker={"size": 10, "color": style.PALETTE["highlight"], "line": {"width": 1.5, "color": "black"}},
                showlegend=False,
                row=1,
                col=column,
            )
        figure.update_xaxes(title="hyperparameter θ<sub>1</sub> (scaled)", range=[0, 1])
        figure.update_yaxes(title="hyperparameter θ<sub>2</sub> (scaled)", range=[0, 1], row=1, col=1)
        figure.update_coloraxes(colorscale=style.INTENSITY, colorbar_title="validation<br>loss")
        return figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary().replace("; ", ";<br>")}},
            margin={"t": 120},
            height=450,
        )
