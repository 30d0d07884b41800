"""Maps of the convergence of gravitational lensing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import lensing_maps as simulator


class LensingMaps(NamedTuple):
    """Simulated maps.

    Attributes
    ----------
    convergence : numpy.ndarray, float32, shape (n, size, size)
        A pure number with mean 0, never below -0.05.
    """

    convergence: np.ndarray


def make_lensing_maps(n_maps=6000, *, size=32, law="lognormal", seed=None, **options):
    """Simulate maps; `course_lib.simulators.lensing_maps` has their exact spectrum and Minkowski functionals.

    Parameters
    ----------
    n_maps : int
    size : int
        Pixels along an edge.
    law : {"lognormal", "gaussian"}
        ``"gaussian"``: another field with the same power spectrum, for comparison.
    seed : int, optional
    **options
        ``side_deg``, ``slope``, ``cutoff_multipole``, ``standard_deviation``, ``shift`` of
        `course_lib.simulators.lensing_maps.sample`.

    Returns
    -------
    LensingMaps

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.data import make_lensing_maps
    >>> make_lensing_maps(5, seed=0).convergence.shape
    (5, 32, 32)
    """
    return LensingMaps(simulator.sample(n_maps, size=size, law=law, seed=seed, **options))
