"""A classification set with a feature that must not be shaped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import planing as simulator


class Planing(NamedTuple):
    """Signal and background events.

    Attributes
    ----------
    features : numpy.ndarray, float64, shape (n, 5)
        Column 0 is the mass-like feature to protect; the others are described in `course_lib.simulators.planing`.
    labels : numpy.ndarray, int64, shape (n,)
        0 background, 1 signal.
    feature_names : tuple of str
    """

    features: np.ndarray
    labels: np.ndarray
    feature_names: tuple


def make_planing(n_samples=40_000, *, seed=None):
    """Simulate the events of exercise 13.1.

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    Planing
        In random order: a slice is a fair split.

    Raises
    ------
    ValueError
        If `n_samples` is not a positive whole number.

    Examples
    --------
    >>> from course_lib.data import make_planing
    >>> make_planing(100, seed=0).features.shape
    (100, 5)
    """
    return Planing(*simulator.sample(n_samples, seed=seed), simulator.FEATURE_NAMES)
