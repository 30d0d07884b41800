"""W and QCD jets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import jets as simulator


class Jets(NamedTuple):
    """Simulated jets.

    Attributes
    ----------
    constituents : numpy.ndarray, float32, shape (n, 64, 3)
        Transverse momentum in GeV, pseudorapidity, azimuth in rad, hardest first; zeros after the last particle.
    labels : numpy.ndarray, int64, shape (n,)
        1 W, 0 QCD.
    """

    constituents: np.ndarray
    labels: np.ndarray


def make_jets(n_jets=10_000, *, seed=None, **options):
    """Simulate W and QCD jets; `course_lib.simulators.jets` has ``mass``, ``n_subjettiness``, ``align``, ``images``.

    Parameters
    ----------
    n_jets : int
    seed : int, optional
    **options
        ``momentum_range_gev``, ``mass_range_gev``, ``w_fraction``, ``soft_radiation``, ``energy_resolution`` of
        `course_lib.simulators.jets.sample`.

    Returns
    -------
    Jets

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_jets
    >>> from course_lib.simulators import jets
    >>> constituents, labels = make_jets(20, seed=0)
    >>> jets.images(constituents, size=25).shape
    (20, 25, 25)
    """
    return Jets(*simulator.sample(n_jets, seed=seed, **options))
