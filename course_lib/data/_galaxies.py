"""Images of galaxies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import galaxies as simulator


class Galaxies(NamedTuple):
    """Simulated galaxies.

    Attributes
    ----------
    images : numpy.ndarray, float32, shape (n, size, size, 1)
        Brightness from 0 to 1.
    labels : numpy.ndarray, int64, shape (n,)
        0 elliptical, 1 spiral, 2 edge-on disc.
    winding : numpy.ndarray, int64, shape (n,)
        Arms followed outwards turn anticlockwise (1) or clockwise (-1); 0 without arms.
    radii_px : numpy.ndarray, float64, shape (n,)
        Half-light radius; of discs that of the disc seen face-on.
    axis_ratios : numpy.ndarray, float64, shape (n,)
        Short over long axis; of edge-on discs scale height over scale length.
    position_angles : numpy.ndarray, float64, shape (n,)
        Of the long axis, in rad, anticlockwise from the rows.
    """

    images: np.ndarray
    labels: np.ndarray
    winding: np.ndarray
    radii_px: np.ndarray
    axis_ratios: np.ndarray
    position_angles: np.ndarray


def make_galaxies(n_galaxies=4000, *, size=32, kinds=simulator.KINDS, seed=None, **options):
    """Simulate images of galaxies.

    Parameters
    ----------
    n_galaxies : int
    size : int
        Pixels along an edge.
    kinds : sequence of {"elliptical", "spiral", "edge_on"}
        ``["spiral"]`` with the field ``winding`` is the task of chapter 7.
    seed : int, optional
    **options
        ``seeing_px``, ``noise`` of `course_lib.simulators.galaxies.sample`.

    Returns
    -------
    Galaxies

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.data import make_galaxies
    >>> spirals = make_galaxies(6, kinds=["spiral"], seed=0)
    >>> spirals.images.shape, sorted(set(spirals.winding.tolist()))
    ((6, 32, 32, 1), [-1, 1])
    """
    return Galaxies(*simulator.sample(n_galaxies, size=size, kinds=kinds, seed=seed, **options))
