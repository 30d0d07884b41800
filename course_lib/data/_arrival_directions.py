"""Skies of cosmic rays, isotropic or with patterns behind sources."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import arrival_directions as simulator


class ArrivalDirections(NamedTuple):
    """Simulated skies.

    Attributes
    ----------
    directions : numpy.ndarray, float32, shape (n, n_particles, 3)
        Unit vectors.
    energies_eev : numpy.ndarray, float32, shape (n, n_particles)
    labels : numpy.ndarray, int64, shape (n,)
        1 with sources, 0 isotropic.
    origins : numpy.ndarray, int16, shape (n, n_particles)
        Number of the source of each particle, -1 for none: for pictures, never an input.
    """

    directions: np.ndarray
    energies_eev: np.ndarray
    labels: np.ndarray
    origins: np.ndarray


def make_arrival_directions(n_skies=2000, *, n_particles=500, seed=None, **options):
    """Simulate skies of cosmic rays for a classification.

    Parameters
    ----------
    n_skies : int
    n_particles : int
    seed : int, optional
    **options
        ``n_sources``, ``events_per_source``, ``deflection_at_10_ev_deg``, ``scatter_at_10_ev_deg``, ``charge``,
        ``energy_range_eev``, ``spectral_index``, ``signal_fraction`` of
        `course_lib.simulators.arrival_directions.sample`.

    Returns
    -------
    ArrivalDirections

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_arrival_directions
    >>> make_arrival_directions(8, n_particles=100, seed=0).directions.shape
    (8, 100, 3)
    """
    return ArrivalDirections(*simulator.sample(n_skies, n_particles=n_particles, seed=seed, **options))
