r"""Atoms in a periodic square that attract and repel by the Lennard-Jones potential.

.. math:: V(r) = 4\varepsilon\left[\left(\frac{\sigma}{r}\right)^{12}-\left(\frac{\sigma}{r}\right)^{6}\right]
   - V_c - (r - r_c)\,V'_c \qquad (r < r_c = 2.5\,\sigma)

The two last terms make potential and force continuous at the cut-off, so that the energy is conserved. Reduced
units: :math:`\sigma` is the length, :math:`\varepsilon` the energy, the atom's mass the mass; the unit of time is
:math:`\sigma\sqrt{m/\varepsilon}` (2.2 ps for argon) and temperatures are in :math:`\varepsilon/k_B`.

References
----------
J. E. Lennard-Jones, Proc. Roy. Soc. A 106 (1924) 463; M. P. Allen, D. J. Tildesley, Computer Simulation of Liquids
(2nd edition, 2017), section 5.2 (shifted force), chapter 3 (integration).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive
from course_lib.simulators.integrators import leapfrog

#: Distance beyond which atoms do not feel each other, in sigma.
CUTOFF = 2.5

#: Limit of atoms in one system: work and memory grow with the square and the cube.
MOST_ATOMS = 200

#: Largest step of the integrator in the simulations; customary for these units.
LARGEST_STEP = 0.005

# Rounds of settling before the recording, after each of which velocities are scaled to the temperature.
_N_SETTLING, _SETTLING_STEPS = 8, 100

_CUTOFF_POTENTIAL = 4 * (CUTOFF**-12 - CUTOFF**-6)
_CUTOFF_SLOPE = -24 * (2 * CUTOFF**-13 - CUTOFF**-7)


def pair_potential(distance):
    """Energy of two atoms.

    Parameters
    ----------
    distance : array-like
        In sigma.

    Returns
    -------
    numpy.ndarray
        In epsilon; zero from the cut-off on.

    Examples
    --------
    >>> from course_lib.simulators import lennard_jones
    >>> float(lennard_jones.pair_potential(2.5))
    0.0
    """
    distance = np.asarray(distance, dtype=float)
    plain = 4 * (distance**-12.0 - distance**-6.0)
    shifted = plain - _CUTOFF_POTENTIAL - (distance - CUTOFF) * _CUTOFF_SLOPE
    return np.where(distance < CUTOFF, shifted, 0.0)


@cache
def _pairs(n_atoms):
    """Indices of both atoms of each pair, and the matrix (pairs, atoms) that is +1 and -1 at them."""
    first, second = np.triu_indices(n_atoms, k=1)
    incidence = np.zeros((len(first), n_atoms))
    incidence[np.arange(len(first)), first] = 1
    incidence[np.arange(len(first)), second] = -1
    return first, second, incidence


def _nearest(positions, box):
    """x and y of the vectors between nearest images of all pairs, (..., pairs) each."""
    first, second, _ = _pairs(positions.shape[-2])
    components = []
    for axis in (0, 1):
        along = np.ascontiguousarray(positions[..., axis])
        difference = along[..., first] - along[..., second]
        components.append(difference - box * np.rint(difference / box))
    return components


def _check(positions, box):
    positions = np.asarray(positions, dtype=float)
    if positions.ndim < 2 or positions.shape[-1] != 2:
        raise ValueError(f"positions must have the shape (..., n_atoms, 2), got {positions.shape}")
    if positions.shape[-2] > MOST_ATOMS:
        raise ValueError(f"at most {MOST_ATOMS} atoms a system (every pair is computed), got {positions.shape[-2]}")
    box = require_positive("box", box)
    if box < 2 * CUTOFF:
        raise ValueError(f"box must be at least {2 * CUTOFF} (an atom must not meet another twice), got {box}")
    return positions, box


def potential_energy(positions, box):
    """Potential energy of all pairs.

    Parameters
    ----------
    positions : array-like, shape (..., n_atoms, 2)
        In sigma, anywhere.
    box : float
        Side of the periodic square in sigma, at least twice the cut-off.

    Returns
    -------
    numpy.ndarray, shape (...)
        In epsilon.

    Raises
    ------
    ValueError
        For another shape or too small a box.

    Examples
    --------
    >>> from course_lib.simulators import lennard_jones
    >>> start = [[0.0, 0.0], [9.0, 0.0]]  # neighbours through the border, 1 sigma apart
    >>> bool(lennard_jones.potential_energy(start, 10.0) == lennard_jones.pair_potential(1.0))
    True
    """
    return pair_potential(np.hypot(*_nearest(*_check(positions, box)))).sum(axis=-1)


def forces(positions, box):
    """Force on every atom.

    Parameters
    ----------
    positions : array-like, shape (..., n_atoms, 2)
        In sigma, anywhere.
    box : float
        Side of the periodic square in sigma, at least twice the cut-off.

    Returns
    -------
    numpy.ndarray, shape (..., n_atoms, 2)
        In epsilon/sigma.

    Raises
    ------
    ValueError
        For another shape or too small a box.

    Examples
    --------
    >>> from course_lib.simulators import lennard_jones
    >>> lennard_jones.forces([[0.0, 0.0], [3.0, 0.0]], 10.0).tolist()  # beyond the cut-off
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return _forces(*_check(positions, box))


def _forces(positions, box):
    x, y = _nearest(positions, box)
    square = x * x + y * y
    inverse2 = 1 / square
    inverse6 = inverse2 * inverse2 * inverse2
    strength = 24 * inverse6 * (2 * inverse6 - 1) * inverse2 + _CUTOFF_SLOPE * np.sqrt(inverse2)
    strength *= square < CUTOFF**2
    incidence = _pairs(positions.shape[-2])[2]
    return np.stack([(strength * x) @ incidence, (strength * y) @ incidence], axis=-1)


def integrate(positions, velocities, box, *, time_step, n_steps, record_every=1):
    """Follow atoms of unit mass with the leapfrog method; systems of a batch do not feel each other.

    Parameters
    ----------
    positions, velocities : array-like, shape (..., n_atoms, 2)
        Reduced units.
    box : float
        Side of the periodic square.
    time_step : float
        Of the integrator; 0.005 is customary.
    n_steps : int
    record_every : int
        Must divide `n_steps`.

    Returns
    -------
    positions, velocities : numpy.ndarray, float64, shape (n_steps / record_every + 1, ..., n_atoms, 2)
        Positions are not folded back into the box, so that paths stay smooth.

    Raises
    ------
    ValueError
        For bad shapes or numbers.

    Examples
    --------
    >>> from course_lib.simulators import lennard_jones
    >>> start = [[0.0, 0.0], [1.5, 0.0]]
    >>> path, speed = lennard_jones.integrate(start, np.zeros((2, 2)), 10.0, time_step=0.005, n_steps=400)
    >>> total = lennard_jones.potential_energy(path, 10.0) + 0.5 * (speed**2).sum(axis=(1, 2))
    >>> bool(np.ptp(total) < 0.01)
    True
    """
    positions, box = _check(positions, box)
    return leapfrog(
        lambda where: _forces(where, box),
        positions,
        velocities,
        time_step=time_step,
        n_steps=n_steps,
        record_every=record_every,
    )


def simulate(n_systems, *, n_atoms=16, n_steps=50, time_step=0.05, density=0.3, temperature=0.7, seed=None):
    """Random systems and their motion.

    Atoms start on a square lattice with Gaussian velocities; the lattice melts while the system settles, during
    which the velocities are scaled to the wanted temperature, and only then recording begins.

    Parameters
    ----------
    n_systems, n_atoms : int
    n_steps : int
        Recorded steps after the start.
    time_step : float
        Time between recorded steps; the integrator makes steps of at most 0.005.
    density : float
        Atoms per sigma squared.
    temperature : float
        In epsilon/k_B, at the start of the recording.
    seed : int, optional

    Returns
    -------
    positions, velocities : numpy.ndarray, float64, shape (n_systems, n_steps + 1, n_atoms, 2)
        Total momentum zero.
    potential_energies : numpy.ndarray, float64, shape (n_systems, n_steps + 1)
    box : float
        Side of the periodic square.

    Raises
    ------
    ValueError
        For bad numbers, or atoms that do not fit.

    Examples
    --------
    >>> from course_lib.simulators import lennard_jones
    >>> positions, velocities, potential, box = lennard_jones.simulate(2, n_atoms=9, n_steps=5, seed=0)
    >>> positions.shape, potential.shape
    ((2, 6, 9, 2), (2, 6))
    """
    n_systems = require_count("n_systems", n_systems)
    n_atoms = require_count("n_atoms", n_atoms, minimum=2)
    n_steps = require_count("n_steps", n_steps)
    time_step = require_positive("time_step", time_step)
    density = require_positive("density", density)
    temperature = require_positive("temperature", temperature)
    box = float(np.sqrt(n_atoms / density))
    if box < 2 * CUTOFF:
        raise ValueError(
            f"n_atoms / density must be at least {4 * CUTOFF**2} (a box of twice the cut-off), got {n_atoms / density}"
        )
    cells = int(np.ceil(np.sqrt(n_atoms)))
    if box / cells < 0.95:
        raise ValueError(f"density must leave each atom 0.95 sigma on the starting lattice, got {density}")
    rng = np.random.default_rng(seed)
    lattice = (np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), axis=-1).reshape(-1, 2) + 0.5) * box / cells
    steps_between = int(np.ceil(time_step / LARGEST_STEP))
    where = np.stack([lattice[rng.permutation(len(lattice))[:n_atoms]] for _ in range(n_systems)])
    where += 0.05 * rng.standard_normal(where.shape)
    velocity = _at_temperature(rng.standard_normal(where.shape), temperature)
    for _ in range(_N_SETTLING):
        path, speeds = integrate(
            where, velocity, box, time_step=LARGEST_STEP, n_steps=_SETTLING_STEPS, record_every=_SETTLING_STEPS
        )
        where, velocity = path[-1] % box, _at_temperature(speeds[-1], temperature)
    positions, velocities = integrate(
        where,
        velocity,
        box,
        time_step=time_step / steps_between,
        n_steps=n_steps * steps_between,
        record_every=steps_between,
    )
    positions = positions.transpose(1, 0, 2, 3).copy()
    return positions, velocities.transpose(1, 0, 2, 3).copy(), potential_energy(positions, box), box


def _at_temperature(velocities, temperature):
    """Velocities with zero total momentum and the given kinetic temperature (2 n - 2 degrees of freedom)."""
    velocities = velocities - velocities.mean(axis=-2, keepdims=True)
    degrees = velocities.shape[-2] * 2 - 2
    kinetic = (velocities**2).sum(axis=(-1, -2), keepdims=True)
    return velocities * np.sqrt(temperature * degrees / kinetic)
