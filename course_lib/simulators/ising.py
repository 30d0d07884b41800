r"""The two-dimensional Ising model: independent samples, observables, exact results.

Square lattice of :math:`L\times L` spins :math:`s_i=\pm1` with periodic boundaries, no field, coupling
:math:`J=1` and :math:`k_B=1`:

.. math:: H = -\sum_{\langle ij\rangle} s_i s_j

Every nearest-neighbour bond counts once. Temperatures are in units of :math:`J/k_B`, energies in units of
:math:`J`.

Sampling uses the cluster algorithm of Swendsen and Wang, which has almost no critical slowing down, and
returns one configuration of each of many independent Markov chains. Single-spin flips (Metropolis) would
stay in stripes below the critical temperature and need thousands of sweeps at it.

References
----------
R. H. Swendsen and J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987): the algorithm.
L. Onsager, Phys. Rev. 65, 117 (1944): energy of the infinite lattice.
C. N. Yang, Phys. Rev. 85, 808 (1952): magnetisation of the infinite lattice.
B. Kaufman, Phys. Rev. 76, 1232 (1949): partition function of the finite torus.

Examples
--------
>>> from course_lib.simulators import ising
>>> configurations = ising.sample(200, 1.5, size=16, seed=1)
>>> configurations.shape, configurations.dtype
((200, 16, 16), dtype('int8'))
>>> bool(abs(abs(ising.magnetisation(configurations)).mean() - ising.onsager_magnetisation(1.5)) < 0.01)
True
"""

from __future__ import annotations

import math
import operator

import numba
import numpy as np
from scipy import special

#: Temperature of the phase transition of the infinite lattice, 2 / ln(1 + sqrt 2), in J/k_B (Onsager 1944).
CRITICAL_TEMPERATURE = 2.0 / math.log(1.0 + math.sqrt(2.0))

# Chains per compiled call: some tenths of a second, so that an interrupt from the keyboard gets through.
_CHAINS_PER_CALL = 500

# Above this coupling (T < 0.01) every exact result equals its ground-state value in double precision, and
# cosh(2K)^2 would overflow not much later.
_LARGEST_COUPLING = 100.0

# Odd, close to 2^64 divided by the golden ratio: the counter of a chain visits all 64-bit numbers.
_STRIDE = np.uint64(0x9E3779B97F4A7C15)


def _compiled(function):
    """Compile with numba, and keep the machine code on disk where numba finds a folder it may write."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function": neither the package nor the home folder can be written
        return numba.njit(nogil=True)(function)


@_compiled
def _random_bits(counter):
    """Mix a counter that advances by ``_STRIDE`` into 64 random bits (SplitMix64: Steele et al. 2014)."""
    mixed = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@_compiled
def _find_root(parent, site):
    while parent[site] != site:
        parent[site] = parent[parent[site]]
        site = parent[site]
    return site


@_compiled
def _join(parent, first, second):
    """Merge two clusters; the root of a cluster is always its smallest site."""
    first_root = _find_root(parent, first)
    second_root = _find_root(parent, second)
    if first_root < second_root:
        parent[second_root] = first_root
    elif second_root < first_root:
        parent[first_root] = second_root


@_compiled
def _swendsen_wang(spins, counters, threshold, n_sweeps):
    """Run ``n_sweeps`` Swendsen-Wang sweeps on every lattice of ``spins`` (n, size * size), in place.

    ``counters`` (n,) are the starts of the chains' random numbers, which makes a result independent of threads,
    of other chains and of numba's own generator. A bond between equal neighbours is kept when 32 random bits are
    below ``threshold`` = (1 - exp(-2/T)) 2^32.
    """
    n_chains, n_sites = spins.shape
    size = int(np.sqrt(n_sites))
    parent = np.empty(n_sites, np.int32)
    closes_row = np.empty(size, np.bool_)
    closes_column = np.empty(size, np.bool_)
    coins = np.empty((n_sites + 63) // 64, np.uint64)
    low_bits = np.uint64(0xFFFFFFFF)
    for chain in range(n_chains):
        lattice = spins[chain]
        counter = counters[chain]
        for _ in range(n_sweeps):
            # Raster scan with bonds to the left and up, as Hoshen and Kopelman label clusters: the cluster of
            # the left neighbour is still at hand, so only the one above has to be looked up.
            site = 0
            for row in range(size):
                root = 0
                for column in range(size):
                    spin = lattice[site]
                    counter += _STRIDE
                    bits = _random_bits(counter)
                    bond_left = (bits >> np.uint64(32)) < threshold
                    bond_up = (bits & low_bits) < threshold
                    if column == 0:
                        closes_row[row] = bond_left and lattice[site + size - 1] == spin
                        root = site
                    elif not (bond_left and lattice[site - 1] == spin):
                        root = site
                    if row == 0:
                        closes_column[column] = bond_up and lattice[n_sites - size + column] == spin
                    elif bond_up and lattice[site - size] == spin:
                        root_above = _find_root(parent, site - size)
                        if root_above < root:
                            parent[root] = root_above
                            root = root_above
                        else:
                            parent[root_above] = root
                    parent[site] = root
                    site += 1
            for line in range(size):
                if closes_row[line]:
                    _join(parent, line * size, line * size + size - 1)
                if closes_column[line]:
                    _join(parent, line, n_sites - size + line)
            # One coin a site, of which a cluster uses the one of its root. Parents come before their children,
            # so a single pass reaches the root.
            for word in range(coins.size):
                counter += _STRIDE
                coins[word] = _random_bits(counter)
            for site in range(n_sites):
                root = parent[parent[site]]
                parent[site] = root
                coin = (coins[root >> 6] >> np.uint64(root & 63)) & np.uint64(1)
                lattice[site] *= 1 - 2 * np.int8(coin)


@_compiled
def _cluster_labels(lattice, periodic):
    """Label each site with the smallest site of its cluster of equal, connected spins."""
    size = lattice.shape[0]
    parent = np.arange(size * size).astype(np.int32)
    for row in range(size):
        for column in range(size):
            site = row * size + column
            if (column + 1 < size or periodic) and lattice[row, (column + 1) % size] == lattice[row, column]:
                _join(parent, site, row * size + (column + 1) % size)
            if (row + 1 < size or periodic) and lattice[(row + 1) % size, column] == lattice[row, column]:
                _join(parent, site, (row + 1) % size * size + column)
    for site in range(size * size):
        parent[site] = parent[parent[site]]
    return parent


def _integer(value, name, smallest):
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < smallest:
        raise ValueError(f"{name} must be an integer of at least {smallest}, not {value!r}.")
    return number


def _positive_temperatures(temperature):
    try:
        temperatures = np.asarray(temperature, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"temperature must be a number or an array of numbers, not {temperature!r}.") from None
    bad = ~(np.isfinite(temperatures) & (temperatures > 0))
    if bad.any():
        raise ValueError(
            f"temperature must be finite and above 0 (in J/k_B), not {temperatures[bad].flat[0]}:"
            " near the ground state use a small value such as 0.1."
        )
    return temperatures


def _spins(configurations):
    spins = np.asarray(configurations)
    if spins.ndim < 2 or spins.shape[-1] != spins.shape[-2] or spins.shape[-1] < 2:
        raise ValueError(
            "configurations must have the shape (..., size, size) with size of at least 2, not"
            f" {spins.shape}: drop a channel axis with configurations[..., 0]."
        )
    if not np.all((spins == 1) | (spins == -1)):
        raise ValueError("every spin must be -1 or +1: map bits (0 or 1) with 2 * bits - 1.")
    return spins.astype(np.int8, copy=False)


def _seed_sequence(seed):
    try:
        return np.random.SeedSequence(seed)
    except (TypeError, ValueError):
        raise ValueError(f"seed must be None or an integer of at least 0, not {seed!r}.") from None


def _run_chains(spins, temperature, n_sweeps, seed_sequence):
    counters = seed_sequence.generate_state(len(spins), np.uint64)  # the first k are the same for every length
    threshold = np.uint64(-np.expm1(-2.0 / temperature) * 2.0**32)
    flat = spins.reshape(len(spins), spins.shape[-1] ** 2)  # a view: both callers pass C-ordered lattices
    for start in range(0, len(flat), _CHAINS_PER_CALL):
        stop = start + _CHAINS_PER_CALL
        _swendsen_wang(flat[start:stop], counters[start:stop], threshold, n_sweeps)


def sample(n_samples, temperature, *, size=32, n_sweeps=60, seed=None):
    r"""Draw independent configurations from the Boltzmann distribution :math:`e^{-H/T}/Z`.

    Every configuration is the end of its own Markov chain of Swendsen-Wang sweeps, so there is no
    autocorrelation between samples and both signs of the magnetisation are equally likely. Chains start with
    all spins equal below the critical temperature and with random spins above it.

    Parameters
    ----------
    n_samples : int
        Configurations per temperature.
    temperature : float or array_like
        Temperature or temperatures in J/k_B; positive.
    size : int
        Side length L of the lattice, at least 2.
    n_sweeps : int
        Sweeps of each chain. The slowest mode forgets the start in about 5 sweeps at the critical temperature
        for L = 32, and in about :math:`5\,(L/32)^{0.25}` for other sizes: 60 are more than ten such times.
    seed : int, optional
        Same seed, same configurations; the first k of a longer run equal a run with ``n_samples=k``.

    Returns
    -------
    ndarray of int8
        Spins -1 or +1, shape ``(n_samples, size, size)`` for one temperature, otherwise
        ``temperature.shape + (n_samples, size, size)``.

    Raises
    ------
    ValueError
        For a temperature that is not positive and finite, a size below 2, a negative number of samples or
        sweeps, or a bad seed.

    Notes
    -----
    Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987): keep each bond between equal neighbours with probability
    :math:`1-e^{-2/T}`, then turn each cluster of kept bonds over with probability 1/2.

    Examples
    --------
    >>> from course_lib.simulators import ising
    >>> cold, hot = ising.sample(100, [1.0, 3.5], seed=3)
    >>> cold.shape
    (100, 32, 32)
    >>> bool(abs(ising.magnetisation(cold)).mean() > 0.99 > 0.2 > abs(ising.magnetisation(hot)).mean())
    True
    """
    n_samples = _integer(n_samples, "n_samples", 0)
    size = _integer(size, "size", 2)
    n_sweeps = _integer(n_sweeps, "n_sweeps", 1)
    temperatures = _positive_temperatures(temperature)
    spins = np.empty((temperatures.size, n_samples, size, size), np.int8)
    seed_sequences = _seed_sequence(seed).spawn(temperatures.size)
    for lattices, one_temperature, seed_sequence in zip(spins, temperatures.flat, seed_sequences, strict=True):
        if one_temperature < CRITICAL_TEMPERATURE:
            lattices[...] = 1
        else:
            start_sequence, seed_sequence = seed_sequence.spawn(2)
            start = np.random.default_rng(start_sequence)
            lattices[...] = 2 * start.integers(0, 2, lattices.shape, dtype=np.int8) - 1
        _run_chains(lattices, one_temperature, n_sweeps, seed_sequence)
    return spins.reshape(*temperatures.shape, n_samples, size, size)


def evolve(configurations, temperature, *, n_sweeps=1, seed=None):
    """Continue Markov chains by Swendsen-Wang sweeps, to watch how a state relaxes.

    Parameters
    ----------
    configurations : array_like
        Spins -1 or +1, shape ``(n, size, size)`` or ``(size, size)``; not changed. Every lattice is a chain.
    temperature : float
        Temperature in J/k_B, positive.
    n_sweeps : int
        Number of sweeps.
    seed : int, optional
        Same seed and same start, same result.

    Returns
    -------
    ndarray of int8
        The lattices after the sweeps, same shape.

    Raises
    ------
    ValueError
        For spins other than -1 and +1, a bad shape, temperature, number of sweeps, or seed.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import ising
    >>> ordered = np.ones((20, 16, 16), np.int8)
    >>> disordered = ising.evolve(ordered, 5.0, n_sweeps=20, seed=0)
    >>> bool(abs(ising.magnetisation(disordered)).mean() < 0.3)
    True
    """
    spins = _spins(configurations)
    temperatures = _positive_temperatures(temperature)
    if temperatures.ndim != 0:
        raise ValueError(f"temperature must be one number, not an array of shape {temperatures.shape}.")
    n_sweeps = _integer(n_sweeps, "n_sweeps", 0)
    result = np.array(spins, order="C").reshape(-1, *spins.shape[-2:])
    _run_chains(result, float(temperatures), n_sweeps, _seed_sequence(seed))
    return result.reshape(spins.shape)


def magnetisation(configurations):
    """Mean spin of every configuration, with its sign.

    Parameters
    ----------
    configurations : array_like
        Spins -1 or +1, shape ``(..., size, size)``.

    Returns
    -------
    ndarray of float
        Magnetisation per spin in [-1, 1], shape ``(...)``.

    Raises
    ------
    ValueError
        For spins other than -1 and +1, or a bad shape.

    Examples
    --------
    >>> from course_lib.simulators import ising
    >>> print(ising.magnetisation([[[1, 1], [1, -1]], [[-1, -1], [-1, -1]]]))
    [ 0.5 -1. ]
    """
    return _spins(configurations).mean(axis=(-2, -1), dtype=float)


def energy_per_spin(configurations):
    r"""Energy of every configuration per spin, :math:`-\frac1N\sum_{\langle ij\rangle}s_is_j`.

    Boundaries are periodic; each spin has one bond to the right and one downwards, so that the ground state
    has -2 (also for size 2, where two bonds join the same pair).

    Parameters
    ----------
    configurations : array_like
        Spins -1 or +1, shape ``(..., size, size)``.

    Returns
    -------
    ndarray of float
        Energy per spin in units of J, from -2 to 2, shape ``(...)``.

    Raises
    ------
    ValueError
        For spins other than -1 and +1, or a bad shape.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import ising
    >>> checkerboard = 1 - 2 * (np.indices((4, 4)).sum(axis=0) % 2)
    >>> print(ising.energy_per_spin([np.ones((4, 4)), checkerboard]))
    [-2.  2.]
    """
    spins = _spins(configurations)
    aligned = spins * (np.roll(spins, -1, axis=-1) + np.roll(spins, -1, axis=-2))
    return -aligned.mean(axis=(-2, -1), dtype=float)


def cluster_sizes(configurations, *, periodic=True):
    """Sizes of the geometric clusters: connected regions of equal spins.

    Parameters
    ----------
    configurations : array_like
        Spins -1 or +1, shape ``(size, size)`` or ``(n, size, size)``.
    periodic : bool
        Whether clusters continue across the boundary.

    Returns
    -------
    ndarray of int, or list of ndarray of int
        Number of spins of every cluster, largest first; a list with one array a configuration for a stack.

    Raises
    ------
    ValueError
        For spins other than -1 and +1, or a bad shape.

    Examples
    --------
    >>> from course_lib.simulators import ising
    >>> stripes = [[1, 1, 1, 1], [-1, -1, -1, -1], [1, 1, 1, 1], [1, 1, 1, 1]]
    >>> print(ising.cluster_sizes(stripes), ising.cluster_sizes(stripes, periodic=False))
    [12  4] [8 4 4]
    """
    spins = _spins(configurations)
    if spins.ndim > 3:
        raise ValueError(f"configurations must have the shape (size, size) or (n, size, size), not {spins.shape}.")
    sizes = []
    for lattice in spins.reshape(-1, *spins.shape[-2:]):
        counts = np.bincount(_cluster_labels(lattice, bool(periodic)))
        sizes.append(np.sort(counts[counts > 0])[::-1])
    return sizes[0] if spins.ndim == 2 else sizes


def onsager_magnetisation(temperature):
    r"""Exact spontaneous magnetisation of the infinite lattice, :math:`[1-\sinh^{-4}(2/T)]^{1/8}` below T_c.

    Parameters
    ----------
    temperature : float or array_like
        Temperature in J/k_B, positive.

    Returns
    -------
    float or ndarray
        Magnetisation per spin, 0 from the critical temperature on.

    Raises
    ------
    ValueError
        For a temperature that is not positive and finite.

    Notes
    -----
    Announced by Onsager in 1949, proved by Yang, Phys. Rev. 85, 808 (1952), eq. (96).

    Examples
    --------
    >>> from course_lib.simulators import ising
    >>> print(round(ising.onsager_magnetisation(2.0), 4), ising.onsager_magnetisation(2.5))
    0.9113 0.0
    """
    temperatures = _positive_temperatures(temperature)
    double_coupling = 2.0 * np.minimum(1.0 / temperatures, _LARGEST_COUPLING)
    order = 1.0 - np.sinh(double_coupling) ** -4.0
    magnetisations = np.where(temperatures < CRITICAL_TEMPERATURE, np.maximum(order, 0.0) ** 0.125, 0.0)
    return magnetisations[()]


def onsager_energy(temperature):
    r"""Exact energy per spin of the infinite lattice.

    .. math::
        e = -\coth(2K)\left[1+\frac2\pi\,(2\tanh^2 2K-1)\,\mathcal K(k)\right],\quad
        k=\frac{2\sinh 2K}{\cosh^2 2K},\quad K=1/T

    with the complete elliptic integral of the first kind :math:`\mathcal K`.

    Parameters
    ----------
    temperature : float or array_like
        Temperature in J/k_B, positive.

    Returns
    -------
    float or ndarray
        Energy per spin in units of J.

    Raises
    ------
    ValueError
        For a temperature that is not positive and finite.

    Notes
    -----
    Onsager, Phys. Rev. 65, 117 (1944), eq. (116). Lattices of finite size differ near the critical temperature
    (by 0.02 at L = 32): see :func:`finite_lattice_energy`.

    Examples
    --------
    >>> from course_lib.simulators import ising
    >>> round(float(ising.onsager_energy(ising.CRITICAL_TEMPERATURE)), 6)  # exactly -sqrt(2)
    -1.414214
    """
    temperatures = _positive_temperatures(temperature)
    double_coupling = 2.0 * np.minimum(1.0 / temperatures, _LARGEST_COUPLING)
    hyperbolic_tangent = np.tanh(double_coupling)
    complementary_modulus = 2.0 * hyperbolic_tangent**2 - 1.0
    # The integral diverges like a logarithm at T_c, where its factor vanishes: the product there is 0.
    elliptic_integral = special.ellipkm1(np.maximum(complementary_modulus**2, np.finfo(float).tiny))
    energies = -(1.0 + 2.0 / np.pi * complementary_modulus * elliptic_integral) / hyperbolic_tangent
    return energies[()]


def finite_lattice_energy(temperature, *, size=32):
    r"""Exact mean energy per spin of the periodic :math:`L\times L` lattice.

    With :math:`K=1/T` the partition function is

    .. math::
        Z = \tfrac12 (2\sinh 2K)^{L^2/2}\Big[\prod_{r}2\cosh\tfrac{L\gamma_{2r+1}}2
        +\prod_{r}2\sinh\tfrac{L\gamma_{2r+1}}2 + \prod_{r}2\cosh\tfrac{L\gamma_{2r}}2
        +\prod_{r}2\sinh\tfrac{L\gamma_{2r}}2\Big],\quad r=0\dots L-1,

    :math:`\cosh\gamma_l=\cosh 2K\coth 2K-\cos(\pi l/L)`, :math:`\gamma_0=2K+\ln\tanh K` (negative above the
    critical temperature), and :math:`e=-L^{-2}\,\mathrm d\ln Z/\mathrm dK`. All products are kept as logarithms.

    Parameters
    ----------
    temperature : float or array_like
        Temperature in J/k_B, positive.
    size : int
        Side length L, at least 2.

    Returns
    -------
    float or ndarray
        Mean energy per spin in units of J.

    Raises
    ------
    ValueError
        For a temperature that is not positive and finite, or a size below 2.

    Notes
    -----
    Kaufman, Phys. Rev. 76, 1232 (1949); derivative as in Ferdinand and Fisher, Phys. Rev. 185, 832 (1969).

    Examples
    --------
    >>> from course_lib.simulators import ising
    >>> energy = ising.finite_lattice_energy(ising.CRITICAL_TEMPERATURE, size=32)
    >>> round(float(energy), 4)
    -1.4337
    """
    temperatures = _positive_temperatures(temperature)
    size = _integer(size, "size", 2)
    energies = [_energy_of_torus(1.0 / value, size) for value in temperatures.flat]
    return np.reshape(energies, temperatures.shape)[()]


def _energy_of_torus(coupling, size):
    coupling = min(coupling, _LARGEST_COUPLING)
    hyperbolic_sine = np.sinh(2.0 * coupling)
    hyperbolic_cotangent = 1.0 / np.tanh(2.0 * coupling)
    level = np.arange(1, 2 * size)
    cosh_gamma = np.cosh(2.0 * coupling) * hyperbolic_cotangent - np.cos(np.pi * level / size)
    gamma = np.arccosh(cosh_gamma)
    slope_of_cosh = 2.0 * np.cosh(2.0 * coupling) * (1.0 - hyperbolic_sine**-2.0)
    slope = slope_of_cosh / np.sqrt(cosh_gamma**2 - 1.0)
    gamma_zero = 2.0 * coupling + np.log(np.tanh(coupling))
    slope_zero = 2.0 + 2.0 / hyperbolic_sine

    # Logarithms of 2 cosh(L gamma / 2) and 2 sinh(L gamma / 2) and their derivatives with respect to K, per level.
    half = 0.5 * size * gamma
    log_cosh = half + np.log1p(np.exp(-2.0 * half))
    log_sinh = half + np.log(-np.expm1(-2.0 * half))
    slope_log_cosh = 0.5 * size * slope * np.tanh(half)
    slope_log_sinh = 0.5 * size * slope / np.tanh(half)
    odd = level % 2 == 1
    half_zero = 0.5 * size * gamma_zero
    log_cosh_zero = np.logaddexp(half_zero, -half_zero)
    slope_log_cosh_zero = 0.5 * size * slope_zero * np.tanh(half_zero)

    # Four terms of Z as (log, weight) with their derivatives. The last one has the factor sinh(L gamma_0 / 2),
    # zero at T_c with a slope that is not: its logarithm is taken without that factor.
    log_terms = np.array(
        [
            log_cosh[odd].sum(),
            log_sinh[odd].sum(),
            log_cosh[~odd].sum() + log_cosh_zero,
            log_sinh[~odd].sum() + log_cosh_zero,
        ]
    )
    weights = np.array([1.0, 1.0, 1.0, np.tanh(half_zero)])
    slopes = np.array(
        [
            slope_log_cosh[odd].sum(),
            slope_log_sinh[odd].sum(),
            slope_log_cosh[~odd].sum() + slope_log_cosh_zero,
            np.tanh(half_zero) * slope_log_sinh[~odd].sum() + 0.5 * size * slope_zero,
        ]
    )
    scaled = np.exp(log_terms - log_terms.max())
    slope_log_sum = np.sum(scaled * slopes) / np.sum(scaled * weights)
    return -hyperbolic_cotangent - slope_log_sum / size**2
