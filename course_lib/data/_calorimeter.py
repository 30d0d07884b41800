"""Electromagnetic showers in a calorimeter."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import calorimeter as simulator


class CalorimeterShowers(NamedTuple):
    """Simulated showers of electrons.

    Attributes
    ----------
    deposits_gev : numpy.ndarray, float32, shape (n, 25, 25) or (n, 3, 6, 6)
        Energy in each cell: across the axis and along it; or layer and two directions across the axis.
    energies_gev : numpy.ndarray, float64, shape (n,)
        Of the electrons: condition or label.
    """

    deposits_gev: np.ndarray
    energies_gev: np.ndarray


def make_calorimeter(n_showers=4000, *, readout="projection", seed=None, **options):
    """Simulate showers of electrons.

    Parameters
    ----------
    n_showers : int
    readout : {"projection", "layers"}
        Side view of 25 x 25 cells, 10 to 500 GeV; or three layers of 6 x 6 cells, 10 to 100 GeV.
    seed : int, optional
    **options
        ``energy_range_gev``, ``fluctuations``, ``quantum_gev`` of `course_lib.simulators.calorimeter`.

    Returns
    -------
    CalorimeterShowers

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.data import make_calorimeter
    >>> make_calorimeter(50, readout="layers", seed=0).deposits_gev.shape
    (50, 3, 6, 6)
    """
    samplers = {"projection": simulator.sample_projections, "layers": simulator.sample_layers}
    if readout not in samplers:
        raise ValueError(f"readout must be 'projection' or 'layers', got {readout!r}")
    return CalorimeterShowers(*samplers[readout](n_showers, seed=seed, **options))
