"""Figure 8.6: a map predicted from another map, pixel by pixel or from the neighbourhood of each pixel."""

from __future__ import annotations

import functools
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib.explorables.base import Explorable, Panel, figure_of_panels, integer, number
from course_lib.explorables.playground.data import normal

#: Pixels a side of the maps, which are periodic, and side of the patch.
SIDE, PATCH = 24, 5

#: Streams of random numbers: hills and atoms of the topograph, and noise of the gap.
HILLS_STREAM, ATOMS_STREAM, NOISE_STREAM = 80, 83, 86

#: How often the hills are smoothed, and how high the atoms stand beside them.
HILL_SMOOTHINGS, ATOM_HEIGHT = 10, 0.45

#: Mean and scale of the gap in meV, scale of the heights in pm.
MEAN_GAP_MEV, GAP_SCALE_MEV, HEIGHT_SCALE_PM = 40.0, 8.0, 12.0


class Maps(NamedTuple):
    """Heights in pm and gaps in meV, both (24, 24); predictions from one pixel and from a patch, and their R²."""

    heights_pm: np.ndarray
    gaps_mev: np.ndarray
    by_pixel: np.ndarray
    by_patch: np.ndarray
    r2_pixel: float
    r2_patch: float


def _smooth(field):
    """Average with the eight neighbours, corners less: a periodic field with a correlation of a few pixels."""
    for axis in (0, 1):
        field = (np.roll(field, 1, axis) + 2 * field + np.roll(field, -1, axis)) / 4
    return field


def _standardised(field):
    return (field - field.mean()) / field.std()


def _patches(field):
    """All patches, one row a pixel, shape (576, 25): first the upper left neighbour."""
    reach = PATCH // 2
    shifts = range(reach, -reach - 1, -1)
    return np.stack([np.roll(field, (down, right), (0, 1)).ravel() for down in shifts for right in shifts], axis=1)


def _fit(columns, target, train):
    """Least squares with a constant on the training pixels; returns the prediction everywhere."""
    design = np.column_stack([columns, np.ones(len(columns))])
    part = design[train]
    # A tiny ridge: patches of a smooth map are almost dependent.
    normal_matrix = part.T @ part + 1e-6 * len(part) * np.eye(design.shape[1])
    return design @ np.linalg.solve(normal_matrix, part.T @ target[train])


@functools.lru_cache(maxsize=64)
def maps(context, noise, seed):
    """Make a topograph and a gap map of the same area, and predict the second from the first.

    Parameters
    ----------
    context : float
        0: the gap depends on the height of its own pixel only; 1: only on how much the pixel stands out of its
        neighbourhood.
    noise : float
        Standard deviation of independent noise, in units of the signal.
    seed : int

    Returns
    -------
    Maps
        Linear least squares, fitted in the upper half, judged in the lower half:
        R² = 1 - sum of squared errors / sum of squared deviations from the mean.

    Examples
    --------
    >>> one = maps(1.0, 0.2, 1)
    >>> one.r2_patch > one.r2_pixel + 0.3
    True
    """
    hills, atoms = (
        np.asarray(normal(seed, stream, SIDE * SIDE)).reshape(SIDE, SIDE) for stream in (HILLS_STREAM, ATOMS_STREAM)
    )
    for _ in range(HILL_SMOOTHINGS):
        hills = _smooth(hills)
    heights = _standardised(_standardised(hills) + ATOM_HEIGHT * _standardised(_smooth(atoms)))
    standing_out = _standardised(heights - _smooth(_smooth(heights)))
    signal = _standardised((1 - context) * heights + context * standing_out)
    random = np.asarray(normal(seed, NOISE_STREAM, SIDE * SIDE)).reshape(SIDE, SIDE)
    gaps = signal + noise * random
    train = np.arange(SIDE * SIDE) < SIDE * SIDE // 2
    test = gaps.ravel()[~train]
    results = []
    for columns in (heights.reshape(-1, 1), _patches(heights)):
        prediction = _fit(columns, gaps.ravel(), train)
        error = ((prediction[~train] - test) ** 2).sum()
        results.append((prediction.reshape(SIDE, SIDE), 1 - error / ((test - test.mean()) ** 2).sum()))
    (by_pixel, r2_pixel), (by_patch, r2_patch) = results
    in_mev = [MEAN_GAP_MEV + GAP_SCALE_MEV * field for field in (gaps, by_pixel, by_patch)]
    return Maps(HEIGHT_SCALE_PM * heights, *in_mev, float(r2_pixel), float(r2_patch))


def _hundredth(value):
    return f"{np.floor(value * 100 + 0.5) / 100 + 0.0:.2f}".replace("-", "−")


class NeighbourhoodRegression(Explorable):
    """Predict a gap map from a topograph, from single pixels or from patches of 5 x 5 (figure 8.6).

    Parameters
    ----------
    context : float
        How much the gap depends on the neighbourhood instead of its own pixel, 0 to 1.
    noise : float
        Noise of the gap in units of the signal, 0 to 2.
    seed : int
        Of the maps, 0 to 99.
    prediction : str, optional
        The student's guess; ``"skipped"`` opens with the result shown.

    Examples
    --------
    >>> NeighbourhoodRegression().summary().split(",")[0]
    'Single pixels explain R² = 0.12 of the lower half of the gap map'
    """

    name = "neighbourhood_regression"
    title = "A pixel is not enough"
    figure = "Figure 8.6"
    goal = "Find out when the gap of a pixel can be read from its own height, and when you need its surroundings."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "context": number(1.0, 0, 1, "how much the neighbourhood matters"),
        "noise": number(0.4, 0, 2, "noise in units of the signal"),
        "seed": integer(2, 0, 99, "seed of the maps"),
    }

    @classmethod
    def constants(cls):
        return {
            "side": SIDE,
            "patch": PATCH,
            "streams": [HILLS_STREAM, ATOMS_STREAM, NOISE_STREAM],
            "topograph": [HILL_SMOOTHINGS, ATOM_HEIGHT],
            "scales": [MEAN_GAP_MEV, GAP_SCALE_MEV, HEIGHT_SCALE_PM],
        }

    def maps(self):
        """Return the `Maps` of the present state."""
        return maps(*(self.state[name] for name in ("context", "noise", "seed")))

    def summary(self):
        now = self.maps()
        return (
            f"Single pixels explain R² = {_hundredth(now.r2_pixel)} of the lower half of the gap map, patches of 5 × 5 "
            f"explain R² = {_hundredth(now.r2_patch)}."
        )

    def static_figure(self):
        now = self.maps()
        centred = [values - MEAN_GAP_MEV for values in (now.gaps_mev, now.by_pixel, now.by_patch)]
        titles = [
            "gap − 40 (meV)",
            f"by pixel, R² = {_hundredth(now.r2_pixel)}",
            f"by patch, R² = {_hundredth(now.r2_patch)}",
        ]
        panels = [Panel(now.heights_pm, "height (pm)", numbers=False)]
        panels += [Panel(values, title, limit=24, numbers=False) for values, title in zip(centred, titles, strict=True)]
        return figure_of_panels(panels, title=self.title, summary=self.summary(), height=360)
