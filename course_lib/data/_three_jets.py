"""Electron-positron annihilation into three jets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import three_jets as simulator


class ThreeJets(NamedTuple):
    """Simulated events.

    Attributes
    ----------
    energy_shares : numpy.ndarray, float64, shape (n, 3)
        Twice the energy of quark, antiquark and gluon over the centre-of-mass energy; they sum to 2.
    momenta_gev : numpy.ndarray, float64, shape (n, 3, 4)
        Energy and the three components of the momentum of each jet.
    """

    energy_shares: np.ndarray
    momenta_gev: np.ndarray


def make_three_jets(n_events=20_000, *, resolution=simulator.RESOLUTION, seed=None, **options):
    """Draw three-jet events; `course_lib.simulators.three_jets` has their exact density and its integral.

    Parameters
    ----------
    n_events : int
    resolution : float
        Smallest squared mass of a pair of jets over the squared centre-of-mass energy.
    seed : int, optional
    **options
        ``energy_gev`` of `course_lib.simulators.three_jets.sample`.

    Returns
    -------
    ThreeJets

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_three_jets
    >>> make_three_jets(10, seed=0).momenta_gev.shape
    (10, 3, 4)
    """
    return ThreeJets(*simulator.sample(n_events, resolution=resolution, seed=seed, **options))
