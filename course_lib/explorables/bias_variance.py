"""Figures 5.1 and 5.2: bias, variance and noise, on a dart board and for polynomials fitted again and again."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, number, written
from course_lib.explorables.playground.data import normal, uniform

#: Fits to independent data sets from which bias and variance are estimated.
N_REFITS = 50

HIGHEST_DEGREE = 9

#: Where model and truth are compared: the edges, where a polynomial runs away at once, are left out.
GRID = np.linspace(0.05, 0.95, 91)

#: From here on numbers are only called large.
LARGE = 100


def truth(x):
    """The law behind the data, :math:`g(x)=\\sin 2\\pi x`.

    Examples
    --------
    >>> float(truth(0.25))
    1.0
    """
    return np.sin(2 * np.pi * np.asarray(x, dtype=float))


def measured_points(n_points, noise, seed):
    """One data set: points of `truth` at random places, with Gaussian noise.

    Parameters
    ----------
    n_points : int
    noise : float
        Standard deviation.
    seed : int

    Returns
    -------
    x, y : numpy.ndarray, shape (n_points,)

    Examples
    --------
    >>> x, y = measured_points(25, 0.0, 1)
    >>> bool(np.allclose(y, truth(x)))
    True
    """
    x = uniform(seed, 0, n_points)
    return x, truth(x) + noise * normal(seed, 2, n_points)


@functools.lru_cache(maxsize=64)
def refits(n_points, noise, seed):
    """Polynomials of every degree, fitted to `N_REFITS` independent data sets.

    Parameters
    ----------
    n_points : int
    noise : float
        Standard deviation of the data.
    seed : int
        Of the first data set; the others follow.

    Returns
    -------
    numpy.ndarray, shape (HIGHEST_DEGREE + 1, N_REFITS, len(GRID))
        Predictions on `GRID`.

    Examples
    --------
    >>> refits(25, 0.3, 0).shape
    (10, 50, 91)
    """
    predictions = np.empty((HIGHEST_DEGREE + 1, N_REFITS, len(GRID)))
    grid_basis = np.polynomial.legendre.legvander(2 * GRID - 1, HIGHEST_DEGREE)
    for fit in range(N_REFITS):
        x, y = measured_points(n_points, noise, 100 * seed + fit)
        basis = np.polynomial.legendre.legvander(2 * x - 1, HIGHEST_DEGREE)
        # The first d + 1 columns of Q span the polynomials of degree d: one factorisation serves all degrees.
        q, r = np.linalg.qr(basis)
        projections = q.T @ y
        for degree in range(HIGHEST_DEGREE + 1):
            size = degree + 1
            coefficients = np.linalg.solve(r[:size, :size], projections[:size])
            predictions[degree, fit] = grid_basis[:, :size] @ coefficients
    return predictions


def decompose(predictions, target):
    """Split the mean squared error of repeated predictions, eq. (5.2) without the noise of new data.

    Parameters
    ----------
    predictions : array_like, shape (n_repetitions, n_places)
    target : array_like, shape (n_places,)
        The noiseless truth.

    Returns
    -------
    squared_bias, variance : float
        Means over the places. Their sum is the mean of ``(predictions - target)**2``.

    Examples
    --------
    >>> decompose([[1.0], [3.0]], [0.0])
    (4.0, 1.0)
    """
    predictions, target = np.asarray(predictions, dtype=float), np.asarray(target, dtype=float)
    mean = predictions.mean(axis=0)
    return float(np.mean((mean - target) ** 2)), float(np.mean(predictions.var(axis=0)))


def shots(bias, spread, n_shots, seed, calibrated):
    """Darts thrown at the origin of a board.

    Parameters
    ----------
    bias : float
        Distance (cm) by which all shots are off, to the upper right.
    spread : float
        Standard deviation (cm) along each axis.
    n_shots, seed : int
    calibrated : bool
        Whether the bias, known from elsewhere, is taken off.

    Returns
    -------
    numpy.ndarray, shape (n_shots, 2)
        Places in cm.

    Examples
    --------
    >>> shots(5.0, 0.0, 2, 0, False).tolist()
    [[4.0, 3.0], [4.0, 3.0]]
    """
    centre = np.zeros(2) if calibrated else bias * np.array([0.8, 0.6])
    return centre + spread * np.column_stack([normal(seed, 4, n_shots), normal(seed, 6, n_shots)])


class BiasVariance(Explorable):
    """An error is squared bias plus variance plus noise: on a dart board, and for fitted polynomials.

    Parameters
    ----------
    view : str
        ``"polynomials"`` or ``"darts"``.
    degree : int
        Of the polynomial, 0 to 9.
    n_points : int
        In each data set, 15 to 60.
    noise : float
        Standard deviation of the data.
    seed : int
        Of the data sets and of the shots.
    bias, spread : float
        Of the darts, in cm.
    n_shots : int
        Thrown at the board.
    calibrated : bool
        Whether the known bias is taken off.

    Examples
    --------
    >>> explorable = BiasVariance(degree=0)
    >>> squared_bias, variance = explorable.decomposition()
    >>> squared_bias > 10 * variance
    True
    """

    name = "bias_variance"
    title = "Bias, variance, noise"
    figure = "Figures 5.1 and 5.2"
    goal = "Find the degree with the smallest error on new data, and what makes the error grow on either side of it."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "view": choice("polynomials", ["polynomials", "darts"], "what is repeated: a fit or a throw"),
        "degree": integer(1, 0, HIGHEST_DEGREE, "degree of the polynomial"),
        "n_points": integer(25, 15, 60, "points in each data set"),
        "noise": number(0.3, 0, 0.6, "standard deviation of the data"),
        "seed": integer(0, 0, 99, "of the data sets and of the shots"),
        "bias": number(6, 0, 12, "common displacement of the shots (cm)"),
        "spread": number(2, 0, 6, "standard deviation of the shots along each axis (cm)"),
        "n_shots": integer(40, 5, 200, "shots"),
        "calibrated": flag(False, "take the known bias off"),
    }

    def predictions(self):
        """Return the fitted curves of the present degree on `GRID`, shape (N_REFITS, len(GRID))."""
        state = self._state
        return refits(state["n_points"], state["noise"], state["seed"])[state["degree"]]

    def decomposition(self, degree=None):
        """Return squared bias and variance of the present view (or of another degree)."""
        state = self._state
        if state["view"] == "darts":
            places = self.shots()
            mean = places.mean(axis=0)
            return float(mean @ mean), float(places.var(axis=0).sum())
        fits = refits(state["n_points"], state["noise"], state["seed"])
        return decompose(fits[state["degree"] if degree is None else degree], truth(GRID))

    def shots(self):
        """Return the shots of the present state, shape (n_shots, 2), in cm."""
        state = self._state
        return shots(*(state[name] for name in ("bias", "spread", "n_shots", "seed", "calibrated")))

    def summary(self):
        state = self._state
        squared_bias, variance = self.decomposition()
        if state["view"] == "darts":
            return (
                f"{state['n_shots']} shots{', calibrated' if state['calibrated'] else ''}: squared bias "
                f"{written(squared_bias)} cm² plus variance {written(variance)} cm² make the mean squared distance "
                f"{written(squared_bias + variance)} cm²."
            )
        return (
            f"Degree {state['degree']}, {N_REFITS} data sets of {state['n_points']} points: squared bias "
            f"{_briefly(squared_bias)}, variance {_briefly(variance)}, noise of the data "
            f"{written(state['noise'] ** 2)}; smallest error at degree {self.best_degree()}."
        )

    def best_degree(self):
        """Return the degree with the smallest sum of squared bias and variance."""
        state = self._state
        fits = refits(state["n_points"], state["noise"], state["seed"])
        return int(np.argmin([sum(decompose(fit, truth(GRID))) for fit in fits]))

    def static_figure(self):
        from plotly.subplots import make_subplots

        state = self._state
        figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.13)
        if state["view"] == "darts":
            places = self.shots()
            figure.add_scatter(x=places[:, 0], y=places[:, 1], mode="markers", name="shots", row=1, col=1)
            figure.add_scatter(x=[0], y=[0], mode="markers", name="target", marker_symbol="x", row=1, col=1)
            figure.update_traces(marker_color=style.PALETTE["training"], selector={"name": "shots"})
            figure.update_traces(marker_color=style.PALETTE["reference"], selector={"name": "target"})
            figure.update_xaxes(title="x (cm)", range=[-20, 20], row=1, col=1)
            figure.update_yaxes(title="y (cm)", range=[-20, 20], row=1, col=1)
            squared_bias, variance = self.decomposition()
            names = ["bias²", "variance", "mean squared distance"]
            figure.add_bar(x=names, y=[squared_bias, variance, squared_bias + variance], showlegend=False, row=1, col=2)
            figure.update_xaxes(title="part of the error", row=1, col=2)
            figure.update_yaxes(title="squared distance (cm²)", row=1, col=2)
        else:
            x, y = measured_points(state["n_points"], state["noise"], 100 * state["seed"])
            predictions = self.predictions().astype("float32")
            for number_of_fit, prediction in enumerate(predictions[:20]):
                figure.add_scatter(
                    x=GRID.astype("float32")[::2],
                    y=prediction[::2],
                    mode="lines",
                    line={"color": style.PALETTE["training"], "width": 1},
                    opacity=0.35,
                    name="fits to 20 data sets",
                    showlegend=number_of_fit == 0,
                    row=1,
                    col=1,
                )
            grey = style.PALETTE["reference"]
            figure.add_scatter(
                x=GRID, y=truth(GRID), name="truth", line={"color": grey, "dash": "dashdot"}, row=1, col=1
            )
            figure.add_scatter(
                x=x, y=y, mode="markers", name="first data set", marker_color=style.PALETTE["ink"], row=1, col=1
            )
            parts = np.array([self.decomposition(degree) for degree in range(HIGHEST_DEGREE + 1)])
            curves = {"bias²": parts[:, 0], "variance": parts[:, 1], "sum": parts.sum(axis=1)}
            for (label, values), colour in zip(curves.items(), _PART_COLOURS, strict=True):
                figure.add_scatter(y=np.maximum(values, 1e-4), name=label, line_color=colour, row=1, col=2)
            figure.update_xaxes(title="x", range=[0, 1], row=1, col=1)
            figure.update_yaxes(title="y", range=[-2.2, 2.2], row=1, col=1)
            figure.update_xaxes(title="degree of the polynomial", row=1, col=2)
            figure.update_yaxes(title="part of the error", type="log", range=[-3.5, 2], row=1, col=2)
        return figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.2, "yanchor": "top"},
            margin={"t": 90, "b": 100},
            height=470,
        )


_PART_COLOURS = [style.SEQUENCE[3], style.SEQUENCE[1], style.SEQUENCE[7]]


def _briefly(value):
    return f"over {LARGE}" if value >= LARGE else written(value)
