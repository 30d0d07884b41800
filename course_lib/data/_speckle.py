"""Small-angle scattering with speckle, and its smooth targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import speckle as simulator


class Speckle(NamedTuple):
    """Simulated detector frames.

    Attributes
    ----------
    frames : numpy.ndarray, float32, shape (n, 64, 64)
        Photons in each pixel, with speckle: input.
    targets : numpy.ndarray, float32, shape (n, 64, 64)
        Mean number of photons without speckle.
    n_modes : numpy.ndarray, int64, shape (n,)
        Independent modes of the beam; 1 is full coherence.
    """

    frames: np.ndarray
    targets: np.ndarray
    n_modes: np.ndarray


def make_speckle(n_frames=500, *, domain="simulation", seed=None, **options):
    """Simulate detector frames with speckle.

    Parameters
    ----------
    n_frames : int
    domain : {"simulation", "experiment"}
        Frames to train with, or frames that differ as an experiment does: coherence, objects, detector.
    seed : int, optional
    **options
        ``modes_range``, ``speckle_size_range_px``, ``log10_photons_range`` of `course_lib.simulators.speckle.sample`.

    Returns
    -------
    Speckle

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.data import make_speckle
    >>> make_speckle(5, domain="experiment", seed=0).frames.shape
    (5, 64, 64)
    """
    return Speckle(*simulator.sample(n_frames, domain=domain, seed=seed, **options))
