"""Speeds of gas atoms and their temperature."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import maxwell_boltzmann as simulator
from course_lib.simulators._arguments import require_count, require_range


class GasSpeeds(NamedTuple):
    """Sets of atoms, each in equilibrium at its own temperature.

    Attributes
    ----------
    speeds_m_per_s : numpy.ndarray, float64, shape (n, n_atoms)
        In random order within a set.
    temperatures_k : numpy.ndarray, float64, shape (n,)
        What a perfect thermometer would show: the labels.
    """

    speeds_m_per_s: np.ndarray
    temperatures_k: np.ndarray


def make_maxwell_boltzmann(n_sets=5000, *, n_atoms=50, temperature_range_k=(100.0, 1000.0), gas="helium", seed=None):
    """Simulate speeds of gas atoms at random temperatures.

    Parameters
    ----------
    n_sets, n_atoms : int
    temperature_range_k : (float, float)
        Temperatures are uniform in it; two equal numbers give one temperature.
    gas : {"helium", "neon", "argon"}
    seed : int, optional

    Returns
    -------
    GasSpeeds

    Raises
    ------
    ValueError
        For bad numbers or an unknown gas.

    Examples
    --------
    >>> from course_lib.data import make_maxwell_boltzmann
    >>> make_maxwell_boltzmann(100, seed=0).speeds_m_per_s.shape
    (100, 50)
    """
    n_sets = require_count("n_sets", n_sets)
    low, high = require_range("temperature_range_k", temperature_range_k)
    label_seed, speed_seed = np.random.SeedSequence(seed).spawn(2)
    temperatures = np.random.default_rng(label_seed).uniform(low, high, n_sets)
    speeds = simulator.sample(n_sets, n_atoms, temperatures, gas=gas, seed=speed_seed)
    return GasSpeeds(speeds, temperatures)
