"""Occupancy maps of muon chambers, good and faulty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import occupancies as simulator


class Occupancies(NamedTuple):
    """Simulated runs of muon chambers.

    Attributes
    ----------
    hits : numpy.ndarray, float32, shape (n, 12, 100)
        Hits of each wire, whole numbers: layers, wires.
    labels : numpy.ndarray, int64, shape (n,)
        Index into `class_names`; 0 is good.
    factors : numpy.ndarray, float32, shape (n, 12, 100)
        What the fault does to the mean number of hits: 1 where nothing is broken. The truth, never an input.
    class_names : tuple of str
    """

    hits: np.ndarray
    labels: np.ndarray
    factors: np.ndarray
    class_names: tuple


def make_occupancies(n_maps=4000, *, fault_fraction=0.5, hits_a_wire=50.0, seed=None):
    """Simulate occupancy maps.

    Parameters
    ----------
    n_maps : int
    fault_fraction : float
        Share of faulty maps; 0 for training an autoencoder on good runs.
    hits_a_wire : float
        Mean number of hits of a good wire in the middle of a chamber.
    seed : int, optional

    Returns
    -------
    Occupancies

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_occupancies
    >>> make_occupancies(5, seed=0).hits.shape
    (5, 12, 100)
    """
    maps = simulator.sample(n_maps, fault_fraction=fault_fraction, hits_a_wire=hits_a_wire, seed=seed)
    return Occupancies(*maps, simulator.CLASS_NAMES)
