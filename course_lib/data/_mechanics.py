"""Hamiltonian systems: pendulum, springs, Lennard-Jones atoms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Pendulum(NamedTuple):
    """States of small pendulums and how they change.

    Attributes
    ----------
    states : numpy.ndarray, float64, shape (n, 2)
        Position q in m and momentum p in kg m/s.
    derivatives : numpy.ndarray, float64, shape (n, 2)
        dq/dt in m/s and dp/dt in N.
    """

    states: np.ndarray
    derivatives: np.ndarray


class Springs(NamedTuple):
    """Motion of bodies connected by springs.

    Attributes
    ----------
    positions_m : numpy.ndarray, float64, shape (n, n_steps + 1, n_bodies, 2)
    velocities_m_per_s : numpy.ndarray, float64, same shape
    connections : numpy.ndarray, int8, shape (n, n_bodies, n_bodies)
        1 for connected pairs.
    time_step_s : float
        Between recorded steps.
    """

    positions_m: np.ndarray
    velocities_m_per_s: np.ndarray
    connections: np.ndarray
    time_step_s: float


class LennardJones(NamedTuple):
    """Motion of Lennard-Jones atoms in a periodic square, in reduced units.

    Attributes
    ----------
    positions : numpy.ndarray, float64, shape (n, n_steps + 1, n_atoms, 2)
        Not folded back into the box.
    velocities : numpy.ndarray, float64, same shape
    potential_energies : numpy.ndarray, float64, shape (n, n_steps + 1)
    box : float
        Side of the square.
    time_step : float
        Between recorded steps.
    """

    positions: np.ndarray
    velocities: np.ndarray
    potential_energies: np.ndarray
    box: float
    time_step: float


def make_pendulum(n_samples=200, *, mass=1.0, spring_constant=1.0, amplitude_range=(0.2, 1.2), noise=0.0, seed=None):
    """States of harmonic oscillators with their time derivatives; see `course_lib.simulators.pendulum`.

    Parameters
    ----------
    n_samples : int
    mass, spring_constant : float
        In kg and N/m.
    amplitude_range : (float, float)
        Amplitudes in m, uniform; phases are uniform, too.
    noise : float
        Standard deviation of Gaussian errors on all four columns.
    seed : int, optional

    Returns
    -------
    Pendulum

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_pendulum
    >>> states, derivatives = make_pendulum(200, noise=0.1, seed=0)
    >>> states.shape, derivatives.shape
    ((200, 2), (200, 2))
    """
    from course_lib.simulators import pendulum

    options = {"mass": mass, "spring_constant": spring_constant, "amplitude_range": amplitude_range}
    return Pendulum(*pendulum.harmonic_sample(n_samples, noise=noise, seed=seed, **options))


def make_springs(
    n_systems=100,
    *,
    n_bodies=5,
    n_steps=50,
    time_step_s=0.1,
    spring_constant=1.0,
    rest_length=0.0,
    connected_fraction=0.5,
    seed=None,
):
    """Random bodies in the plane, some pairs connected by springs; see `course_lib.simulators.springs`.

    Parameters
    ----------
    n_systems, n_bodies : int
    n_steps : int
        Recorded steps after the start.
    time_step_s : float
        Between recorded steps; the integrator makes ten steps in between.
    spring_constant, rest_length : float
        In N/m and m; bodies weigh 1 kg.
    connected_fraction : float
        Probability that a pair is connected.
    seed : int, optional

    Returns
    -------
    Springs

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_springs
    >>> make_springs(2, seed=0).positions_m.shape
    (2, 51, 5, 2)
    """
    from course_lib.simulators import springs

    positions, velocities, connections = springs.simulate(
        n_systems,
        n_bodies=n_bodies,
        n_steps=n_steps,
        time_step=time_step_s,
        spring_constant=spring_constant,
        rest_length=rest_length,
        connected_fraction=connected_fraction,
        seed=seed,
    )
    return Springs(positions, velocities, connections, float(time_step_s))


def make_lennard_jones(
    n_systems=50, *, n_atoms=16, n_steps=50, time_step=0.05, density=0.3, temperature=0.7, seed=None
):
    """Atoms that attract and repel in a periodic square; see `course_lib.simulators.lennard_jones`.

    Parameters
    ----------
    n_systems : int
    n_atoms : int
        At most 200 a system.
    n_steps : int
        Recorded steps after the start.
    time_step : float
        Between recorded steps; the integrator makes steps of at most 0.005.
    density : float
        Atoms per sigma squared; ``n_atoms / density`` must be at least 25.
    temperature : float
        In epsilon/k_B.
    seed : int, optional

    Returns
    -------
    LennardJones

    Raises
    ------
    ValueError
        For bad numbers, or atoms that do not fit.

    Examples
    --------
    >>> from course_lib.data import make_lennard_jones
    >>> make_lennard_jones(1, n_atoms=9, n_steps=3, seed=0).velocities.shape
    (1, 4, 9, 2)
    """
    from course_lib.simulators import lennard_jones

    options = {"n_atoms": n_atoms, "density": density, "temperature": temperature}
    simulated = lennard_jones.simulate(n_systems, n_steps=n_steps, time_step=time_step, seed=seed, **options)
    return LennardJones(*simulated, float(time_step))
