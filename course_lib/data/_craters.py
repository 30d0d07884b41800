"""Craters on Mars."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import craters as simulator


class Craters(NamedTuple):
    """Simulated candidates.

    Attributes
    ----------
    images : numpy.ndarray, float32, shape (n, 15, 15, 1)
        Brightness from 0 to 1; flat ground has 0.5.
    labels : numpy.ndarray, int64, shape (n,)
        1 crater, 0 anything else.
    kinds : numpy.ndarray, int64, shape (n,)
        0 crater, 1 hill, 2 ridge, 3 half rim, 4 plain ground.
    """

    images: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray


class CraterTiles(NamedTuple):
    """Simulated pictures with many craters.

    Attributes
    ----------
    images : numpy.ndarray, float32, shape (n, size, size, 1)
        Brightness from 0 to 1.
    annotations : numpy.ndarray, float64, shape (m, 4)
        One row a crater: number of the picture, row, column and radius in pixels.
    """

    images: np.ndarray
    annotations: np.ndarray


def make_craters(n_candidates=4910, *, seed=None, **options):
    """Simulate candidates of 15 x 15 pixels, to be sorted into craters and others.

    Parameters
    ----------
    n_candidates : int
        By default as many as in the published set.
    seed : int, optional
    **options
        ``crater_fraction``, ``radius_range_px``, ``blur_range_px``, ``slope``, ``sun_azimuth_deg``,
        ``sun_elevation_deg``, ``noise`` of `course_lib.simulators.craters.sample`.

    Returns
    -------
    Craters

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_craters
    >>> int(make_craters(100, seed=0).labels.sum())
    41
    """
    return Craters(*simulator.sample(n_candidates, seed=seed, **options))


def make_crater_tiles(n_tiles=8, *, size=128, seed=None, **options):
    """Simulate larger pictures and the list of their craters, to be found.

    Parameters
    ----------
    n_tiles : int
    size : int
        Pixels along an edge; an even number.
    seed : int, optional
    **options
        ``n_craters``, ``radius_range_px``, ``slope``, ``sun_azimuth_deg``, ``sun_elevation_deg``, ``noise`` of
        `course_lib.simulators.craters.sample_tiles`.

    Returns
    -------
    CraterTiles

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_crater_tiles
    >>> make_crater_tiles(2, seed=0).images.shape
    (2, 128, 128, 1)
    """
    return CraterTiles(*simulator.sample_tiles(n_tiles, size=size, seed=seed, **options))
