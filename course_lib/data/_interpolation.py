"""A wiggly function of one variable with noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import interpolation as simulator


class Interpolation(NamedTuple):
    """Noisy points of a curve.

    Attributes
    ----------
    x, y : numpy.ndarray, float64, shape (n, 1)
    """

    x: np.ndarray
    y: np.ndarray


def make_interpolation(n_samples=10_000, *, noise=1.0, x_range=(-10.0, 10.0), seed=None):
    """Noisy points of the curve of exercise 5.2; see `course_lib.simulators.interpolation`.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the noise on y; 0 gives points of the curve itself, for tests.
    x_range : (float, float)
    seed : int, optional

    Returns
    -------
    Interpolation

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_interpolation
    >>> make_interpolation(1000, seed=0).y.shape
    (1000, 1)
    """
    return Interpolation(*simulator.sample(n_samples, noise=noise, x_range=x_range, seed=seed))
