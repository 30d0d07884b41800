"""Exotic Higgs decays against top pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import higgs_events as simulator


class HiggsEvents(NamedTuple):
    """Simulated collisions.

    Attributes
    ----------
    features : numpy.ndarray, float32, shape (n, 28)
        21 low-level features, then 7 masses; names in `feature_names`, momenta and masses in GeV, angles in rad.
    labels : numpy.ndarray, int64, shape (n,)
        1 signal, 0 top pairs.
    feature_names : tuple of str
    """

    features: np.ndarray
    labels: np.ndarray
    feature_names: tuple


def make_higgs_events(n_events=50_000, *, seed=None, **options):
    """Simulate collisions with the features of the public HIGGS table.

    Parameters
    ----------
    n_events : int
    seed : int, optional
    **options
        ``jet_stochastic``, ``jet_constant``, ``missing_noise_gev``, ``tag_efficiency``, ``mistag_rate``,
        ``signal_fraction`` of `course_lib.simulators.higgs_events.sample`.

    Returns
    -------
    HiggsEvents

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_higgs_events
    >>> events = make_higgs_events(100, seed=0)
    >>> events.features.shape, events.feature_names[21:23]
    ((100, 28), ('m_jj', 'm_jjj'))
    """
    features, labels = simulator.sample(n_events, seed=seed, **options)
    return HiggsEvents(features, labels, simulator.FEATURE_NAMES)
