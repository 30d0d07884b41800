r"""Speeds of gas atoms in equilibrium.

Each velocity component is Gaussian with the variance :math:`k_BT/m`, so the speed follows

.. math:: p(v) = 4\pi\left(\frac{m}{2\pi k_BT}\right)^{3/2} v^2\, e^{-mv^2/2k_BT}

References
----------
J. C. Maxwell, Philosophical Magazine 19 (1860) 19; any textbook of statistical mechanics. Atomic masses: CIAAW (2021);
Boltzmann's constant: exact in the SI of 2019.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count

#: Boltzmann's constant in J/K, exact.
BOLTZMANN_J_PER_K = 1.380649e-23

_ATOMIC_MASS_UNIT_KG = 1.66053906660e-27

#: Masses of one atom in kg.
MASS_KG = {
    "helium": 4.002602 * _ATOMIC_MASS_UNIT_KG,
    "neon": 20.1797 * _ATOMIC_MASS_UNIT_KG,
    "argon": 39.948 * _ATOMIC_MASS_UNIT_KG,
}


def _mass_kg(gas):
    try:
        return MASS_KG[gas]
    except (KeyError, TypeError):
        raise ValueError(f"gas must be one of {', '.join(MASS_KG)}, got {gas!r}") from None


def _temperature(temperature_k):
    temperature_k = np.asarray(temperature_k, dtype=float)
    if not np.all(np.isfinite(temperature_k) & (temperature_k > 0)):
        raise ValueError(f"temperature_k must be positive, got {temperature_k}")
    return temperature_k


def density(speed_m_per_s, temperature_k, *, gas="helium"):
    """Probability density of the speed.

    Parameters
    ----------
    speed_m_per_s : array-like
    temperature_k : float or array-like
        Broadcasts against the speeds.
    gas : {"helium", "neon", "argon"}

    Returns
    -------
    numpy.ndarray
        In s/m; zero for negative speeds.

    Raises
    ------
    ValueError
        For a temperature that is not positive or an unknown gas.

    Examples
    --------
    >>> from course_lib.simulators import maxwell_boltzmann
    >>> round(1000 * float(maxwell_boltzmann.density(1116.0, 300.0)), 2)  # helium, in s/km
    0.74
    """
    speed = np.asarray(speed_m_per_s, dtype=float)
    rate = _mass_kg(gas) / (BOLTZMANN_J_PER_K * _temperature(temperature_k))
    value = np.sqrt(2 / np.pi) * rate**1.5 * speed**2 * np.exp(-rate * speed**2 / 2)
    return np.where(speed >= 0, value, 0.0)


def sample(n_sets, n_atoms, temperature_k, *, gas="helium", seed=None):
    """Draw speeds.

    Parameters
    ----------
    n_sets, n_atoms : int
    temperature_k : float or array-like, shape (n_sets,)
    gas : {"helium", "neon", "argon"}
    seed : int, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n_sets, n_atoms)
        Speeds in m/s, in random order.

    Raises
    ------
    ValueError
        For bad numbers, a temperature that is not positive, or an unknown gas.

    Examples
    --------
    >>> from course_lib.simulators import maxwell_boltzmann
    >>> maxwell_boltzmann.sample(2, 5, 300.0, seed=0).shape
    (2, 5)
    """
    n_sets = require_count("n_sets", n_sets)
    n_atoms = require_count("n_atoms", n_atoms)
    temperature_k = _temperature(temperature_k)
    if temperature_k.ndim and temperature_k.shape != (n_sets,):
        raise ValueError(f"temperature_k must be one number or one a set ({n_sets}), got {temperature_k.shape}")
    spread = np.sqrt(BOLTZMANN_J_PER_K * temperature_k / _mass_kg(gas)).reshape(-1, 1)
    velocities = np.random.default_rng(seed).standard_normal((3, n_sets, n_atoms))
    return spread * np.sqrt((velocities**2).sum(axis=0))


def temperature_estimate(speeds_m_per_s, *, gas="helium"):
    r"""Maximum-likelihood temperature of each set of atoms, :math:`m\langle v^2\rangle/3k_B`.

    No unbiased estimate is better: its relative standard deviation :math:`\sqrt{2/3N}` for N atoms is the
    information bound (Cramér and Rao), 11.5 % for 50 atoms.

    Parameters
    ----------
    speeds_m_per_s : array-like, shape (..., n_atoms)
    gas : {"helium", "neon", "argon"}

    Returns
    -------
    numpy.ndarray, shape (...)
        Temperatures in K.

    Examples
    --------
    >>> from course_lib.simulators import maxwell_boltzmann
    >>> speeds = maxwell_boltzmann.sample(1, 100_000, 300.0, seed=0)
    >>> bool(abs(maxwell_boltzmann.temperature_estimate(speeds)[0] - 300) < 4)
    True
    """
    speeds = np.asarray(speeds_m_per_s, dtype=float)
    return _mass_kg(gas) * (speeds**2).mean(axis=-1) / (3 * BOLTZMANN_J_PER_K)
