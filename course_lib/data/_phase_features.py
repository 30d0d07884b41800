"""Named features of Ising configurations and their phase."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators._arguments import require_count


class PhaseFeatures(NamedTuple):
    """Features of spin lattices and their phase.

    Attributes
    ----------
    features : numpy.ndarray, float64, shape (n, 5)
        See `course_lib.simulators.phase_features`.
    labels : numpy.ndarray, int64, shape (n,)
        0 ordered (below the critical temperature), 1 disordered.
    temperatures : numpy.ndarray, float32, shape (n,)
        In J/k_B.
    feature_names : tuple of str
    """

    features: np.ndarray
    labels: np.ndarray
    temperatures: np.ndarray
    feature_names: tuple


def load_phase_features(n_samples=5000):
    """Features of the first of the bundled Ising configurations (`load_ising`).

    Parameters
    ----------
    n_samples : int
        At most 26 000; the bundled order is random, so any slice holds all temperatures.

    Returns
    -------
    PhaseFeatures

    Raises
    ------
    ValueError
        For a bad number of samples.

    Examples
    --------
    >>> from course_lib.data import load_phase_features
    >>> load_phase_features(100).features.shape
    (100, 5)
    """
    from course_lib.data._ising import load_ising
    from course_lib.simulators import ising, phase_features

    configurations, temperatures = load_ising()
    if require_count("n_samples", n_samples) > len(configurations):
        raise ValueError(f"n_samples must be at most {len(configurations)}, the size of the set, got {n_samples}")
    temperatures = temperatures[:n_samples].copy()
    return PhaseFeatures(
        phase_features.phase_features(configurations[:n_samples]),
        (temperatures > ising.CRITICAL_TEMPERATURE).astype(np.int64),
        temperatures,
        phase_features.FEATURE_NAMES,
    )
