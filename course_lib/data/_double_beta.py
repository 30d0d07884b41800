"""Double beta decay in xenon gas."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import double_beta as simulator


class DoubleBeta(NamedTuple):
    """Simulated events.

    Attributes
    ----------
    images : numpy.ndarray, float32, shape (n, 24, 24, 3)
        Energy in MeV in pixels of 1 cm, seen along each axis.
    labels : numpy.ndarray, int64, shape (n,)
        1 two electrons, 0 one electron.
    electron_energies_mev : numpy.ndarray, float64, shape (n, 2)
        True energies; the second is 0 for one electron.
    blob_energies_mev : numpy.ndarray, float64, shape (n, 2)
        Energy within 2 cm of the true ends of the track, larger one first.
    """

    images: np.ndarray
    labels: np.ndarray
    electron_energies_mev: np.ndarray
    blob_energies_mev: np.ndarray


def make_double_beta(n_events=5000, *, seed=None, **options):
    """Simulate tracks of double beta decays and of single electrons.

    Parameters
    ----------
    n_events : int
    seed : int, optional
    **options
        ``signal_fraction``, ``sharing``, ``scattering``, ``diffusion_cm`` of
        `course_lib.simulators.double_beta.sample`: the rungs of the ladder of difficulty.

    Returns
    -------
    DoubleBeta

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.data import make_double_beta
    >>> make_double_beta(6, scattering=2.0, diffusion_cm=1.0, seed=0).images.shape
    (6, 24, 24, 3)
    """
    return DoubleBeta(*simulator.sample(n_events, seed=seed, **options))
