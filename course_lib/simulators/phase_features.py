r"""Five named numbers of a spin lattice that tell its phase.

A table in place of a picture: what a physicist would measure on a configuration of the two-dimensional Ising model
before thinking of networks. The five are strongly correlated, as observables are.

References
----------
K. Binder, D. W. Heermann, Monte Carlo Simulation in Statistical Physics (6th edition, 2019), chapter 2: order
parameter, structure factor, finite lattices. A. Coniglio et al., J. Phys. A 10 (1977) 205: in two dimensions the
largest cluster of equal spins spans the lattice exactly below the critical temperature.
"""

from __future__ import annotations

import numpy as np

FEATURE_NAMES = (
    "absolute magnetisation",
    "energy per spin",
    "largest cluster fraction",
    "correlation at a quarter of the lattice",
    "long-wave structure factor",
)


def phase_features(configurations):
    r"""Measure the five features.

    Parameters
    ----------
    configurations : array-like of int, shape (n, size, size)
        Spins -1 and +1 on periodic lattices.

    Returns
    -------
    numpy.ndarray, float64, shape (n, 5)
        Columns as in `FEATURE_NAMES`:

        0. :math:`|m|`, absolute mean spin, 0 to 1;
        1. energy per spin in units of J, -2 to 2;
        2. spins in the largest cluster of equal neighbours, divided by all spins;
        3. mean product of spins a quarter of the side apart, along both axes, -1 to 1;
        4. :math:`S(k)=|\sum_r s_r e^{ikr}|^2/N` at the smallest wave vector, mean of both axes, divided by N:
           large where domains are as large as the lattice, that is near the critical temperature.

    Raises
    ------
    ValueError
        For another shape or other values than -1 and +1.

    Examples
    --------
    >>> from course_lib.simulators import phase_features
    >>> phase_features.phase_features(np.ones((1, 8, 8), dtype=int)).round(6)
    array([[ 1., -2.,  1.,  1.,  0.]])
    """
    from course_lib.simulators import ising

    spins = np.asarray(configurations)
    if spins.ndim != 3 or spins.shape[1] != spins.shape[2]:
        raise ValueError(f"configurations must have the shape (n, size, size), got {spins.shape}")
    size = spins.shape[-1]
    n_spins = size * size
    largest = np.array([max(sizes) for sizes in ising.cluster_sizes(spins)]) / n_spins
    quarter = size // 4
    shifted = [np.roll(spins, quarter, axis=axis) for axis in (1, 2)]
    correlation = sum((spins * other).mean(axis=(1, 2)) for other in shifted) / 2
    wave = np.exp(2j * np.pi * np.arange(size) / size)
    rows, columns = spins.sum(axis=2), spins.sum(axis=1)
    structure = (np.abs(rows @ wave) ** 2 + np.abs(columns @ wave) ** 2) / 2 / n_spins**2
    return np.column_stack(
        [np.abs(ising.magnetisation(spins)), ising.energy_per_spin(spins), largest, correlation, structure]
    )
