"""Neutrino interactions in liquid argon."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import neutrino_views as simulator


class NeutrinoViews(NamedTuple):
    """Simulated interactions.

    Attributes
    ----------
    images : numpy.ndarray, float32, shape (n, rows, columns, n_views)
        Energy in MeV: drift coordinate, coordinate across the wires, plane of wires; or strips.
    labels : numpy.ndarray, int64, shape (n,)
        0 charged current of a muon neutrino, 1 of an electron neutrino, 2 neutral current.
    energies_gev : numpy.ndarray, float64, shape (n,)
        Of the neutrinos.
    lepton_energies_gev : numpy.ndarray, float64, shape (n,)
        Of the muon or electron; 0 for neutral currents.
    pixel_classes : numpy.ndarray, uint8, shape (n, rows, columns, n_views)
        0 background, 1 track, 2 shower.
    """

    images: np.ndarray
    labels: np.ndarray
    energies_gev: np.ndarray
    lepton_energies_gev: np.ndarray
    pixel_classes: np.ndarray


def make_neutrino_views(n_events=6000, *, views="two_planes", seed=None, **options):
    """Simulate neutrino interactions in liquid argon.

    Parameters
    ----------
    n_events : int
    views : {"two_planes", "three_planes", "crossed"}
        Planes of wires that share the drift coordinate; or crossed strips.
    seed : int, optional
    **options
        ``shape``, ``pixel_cm``, ``energy_range_gev``, ``noise_mev`` of `course_lib.simulators.neutrino_views.sample`.

    Returns
    -------
    NeutrinoViews

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.data import make_neutrino_views
    >>> make_neutrino_views(6, shape=(64, 64), seed=0).images.shape
    (6, 64, 64, 2)
    """
    return NeutrinoViews(*simulator.sample(n_events, views=views, seed=seed, **options))
