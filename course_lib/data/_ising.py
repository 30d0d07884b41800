"""Configurations of the two-dimensional Ising model: the bundled set and fresh ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.data._resolution import read_npz, resolve


class IsingData(NamedTuple):
    """Ising configurations with the temperature of each.

    Attributes
    ----------
    configurations : ndarray of int8
        Spins -1 or +1, shape ``(n, size, size)``.
    temperatures : ndarray of float32
        Temperature in J/k_B, shape ``(n,)``.
    """

    configurations: np.ndarray
    temperatures: np.ndarray


def load_ising():
    """Load the bundled configurations: 32 x 32 spins, 1000 at each of 26 temperatures.

    The order is shuffled once and for all: a plain slice is a fair sample, for example the first 20 000 for
    training and the last 6 000 for testing.

    Returns
    -------
    IsingData
        Named tuple ``(configurations, temperatures)``: int8 spins -1 or +1 of shape ``(26000, 32, 32)``, and
        float32 temperatures 1.0, 1.1 ... 3.5 in J/k_B of shape ``(26000,)``.

    Raises
    ------
    DataUnavailable
        If the bundled file is missing, or damaged (its SHA-256 is checked).

    Notes
    -----
    Independent Swendsen-Wang samples; ``datasets/ising/card.md`` tells how they were made and checked.

    Examples
    --------
    >>> from course_lib.data import load_ising
    >>> configurations, temperatures = load_ising()
    >>> configurations.shape, configurations.dtype, temperatures.shape, temperatures.dtype
    ((26000, 32, 32), dtype('int8'), (26000,), dtype('float32'))
    """
    arrays = read_npz(resolve("ising/ising.npz"), ["spin_bits", "temperature_index"])
    bits = np.unpackbits(arrays["spin_bits"], axis=1).view(np.int8)
    configurations = (2 * bits - 1).reshape(-1, 32, 32)
    temperatures = ((10 + arrays["temperature_index"]) / 10).astype(np.float32)
    return IsingData(configurations, temperatures)


def make_ising(n_samples, temperature, *, size=32, seed=None):
    """Simulate fresh, independent configurations of the two-dimensional Ising model.

    Parameters
    ----------
    n_samples : int
        Number of configurations, per temperature if there are several.
    temperature : float or array_like
        Temperature or temperatures in J/k_B, positive.
    size : int
        Side length of the periodic lattice, at least 2.
    seed : int, optional
        Same seed, same configurations.

    Returns
    -------
    ndarray of int8
        Spins -1 or +1, shape ``(n_samples, size, size)``; with an array of temperatures
        ``temperature.shape + (n_samples, size, size)``.

    Raises
    ------
    ValueError
        For a temperature that is not positive and finite, a size below 2, or a negative number of samples.

    See Also
    --------
    course_lib.simulators.ising.sample : the algorithm and its settings.

    Examples
    --------
    >>> from course_lib.data import make_ising
    >>> configurations = make_ising(10, 2.2, size=16, seed=8)
    >>> configurations.shape, configurations.dtype
    ((10, 16, 16), dtype('int8'))
    """
    from course_lib.simulators import ising  # numba takes half a second, which load_ising does not need

    return ising.sample(n_samples, temperature, size=size, seed=seed)
