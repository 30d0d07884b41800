r"""A classification set in which one feature, called mass, must not be shaped by the classifier.

Five features of signal (1) and background (0) events:

- ``f0``, the mass, on [0, 3]: signal a Gaussian of mean 1.2 and width 0.5, background an exponential of mean 1, both
  cut at the ends, so that each mass occurs in both classes;
- ``f1 = 0.9 f0 + N(0, 0.4)`` and ``f2 = f0^2 / 2 + N(0, 0.6)``: proxies from which a network finds the mass back;
- ``f3 = y + N(0, 1)`` and ``f4 = (1 + 0.6 y) N(0, 1)``: true differences, independent of the mass.

The best classifier without any knowledge of the mass is known: `mass_blind_log_ratio`.

References
----------
Planing: S. Chang, T. Cohen, B. Ostdiek, Phys. Rev. D 97 (2018) 056009. The distributions are made for exercise 13.1
of M. Erdmann, J. Glombitza, G. Kasieczka, U. Klemradt, Deep Learning for Physics Research (2021).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from course_lib.simulators._arguments import require_count

FEATURE_NAMES = ("f0", "f1", "f2", "f3", "f4")

#: Range of the mass feature.
MASS_RANGE = (0.0, 3.0)

SIGNAL_MEAN, SIGNAL_WIDTH = 1.2, 0.5
BACKGROUND_MEAN = 1.0


def sample(n_samples, *, seed=None):
    """Draw events, half of them signal.

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    features : numpy.ndarray, float64, shape (n_samples, 5)
        Columns as in `FEATURE_NAMES`.
    labels : numpy.ndarray, int64, shape (n_samples,)
        0 background, 1 signal, in random order.

    Raises
    ------
    ValueError
        If `n_samples` is not a positive whole number.

    Examples
    --------
    >>> from course_lib.simulators import planing
    >>> features, labels = planing.sample(1000, seed=0)
    >>> features.shape, int(labels.sum())
    ((1000, 5), 500)
    """
    n_samples = require_count("n_samples", n_samples)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_samples) % 2)
    quantile = rng.uniform(size=n_samples)
    low, high = MASS_RANGE
    # Inverse of the cumulative distribution: no event is thrown away, so the number of draws is fixed.
    lower, upper = (ndtr((bound - SIGNAL_MEAN) / SIGNAL_WIDTH) for bound in (low, high))
    signal_mass = SIGNAL_MEAN + SIGNAL_WIDTH * ndtri(lower + quantile * (upper - lower))
    background_mass = -BACKGROUND_MEAN * np.log1p(-quantile * (1 - np.exp(-high / BACKGROUND_MEAN)))
    mass = np.where(labels == 1, signal_mass, background_mass)
    normals = rng.standard_normal((4, n_samples))
    features = np.column_stack(
        [
            mass,
            0.9 * mass + 0.4 * normals[0],
            mass**2 / 2 + 0.6 * normals[1],
            labels + normals[2],
            (1 + 0.6 * labels) * normals[3],
        ]
    )
    return features, labels


def mass_blind_log_ratio(features):
    r"""Logarithm of the likelihood ratio of signal and background in ``f3`` and ``f4`` alone.

    The best possible score that is independent of the mass in the background (Neyman and Pearson).

    Parameters
    ----------
    features : array-like, shape (n, 5)

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    ValueError
        For another number of columns.

    Examples
    --------
    >>> from course_lib.simulators import planing
    >>> float(planing.mass_blind_log_ratio([[1.0, 0, 0, 0.5, 0.0]])[0].round(4))
    -0.47
    """
    features = np.asarray(features, dtype=float)
    if features.ndim != 2 or features.shape[1] != 5:
        raise ValueError(f"features must have the shape (n, 5), got {features.shape}")
    f3, f4 = features[:, 3], features[:, 4]
    return f3 - 0.5 - np.log(1.6) + f4**2 / 2 * (1 - 1 / 1.6**2)
