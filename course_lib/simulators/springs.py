r"""Bodies in the plane, connected by springs.

.. math:: H = \sum_i \frac{p_i^2}{2m} + \frac{k}{2}\sum_{i<j} a_{ij}\,(|r_i-r_j| - \ell)^2

with :math:`a_{ij}=1` for connected pairs. No walls and no friction: energy, momentum and angular momentum are
conserved.

References
----------
T. Kipf, E. Fetaya, K.-C. Wang, M. Welling, R. Zemel, Proc. ICML (2018), arXiv:1802.04687, use such systems to
infer who is connected to whom; P. Battaglia et al., arXiv:1612.00222 (2016), to learn the dynamics.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive
from course_lib.simulators.integrators import leapfrog


def _pairs(positions):
    """Vectors r_i - r_j (..., n, n, 2) and their lengths (..., n, n)."""
    difference = positions[..., :, None, :] - positions[..., None, :, :]
    return difference, np.sqrt((difference**2).sum(axis=-1))


def accelerations(positions, connections, *, mass=1.0, spring_constant=1.0, rest_length=0.0):
    """Acceleration of every body.

    Parameters
    ----------
    positions : array-like, shape (..., n_bodies, 2)
        In m.
    connections : array-like, shape (..., n_bodies, n_bodies)
        Symmetric, 1 for connected pairs, zero diagonal.
    mass, spring_constant, rest_length : float
        In kg, N/m and m.

    Returns
    -------
    numpy.ndarray, shape (..., n_bodies, 2)
        In m/s2.

    Examples
    --------
    >>> from course_lib.simulators import springs
    >>> springs.accelerations([[0.0, 0.0], [2.0, 0.0]], [[0, 1], [1, 0]], rest_length=1.0)[:, 0]
    array([ 1., -1.])
    """
    difference, distance = _pairs(np.asarray(positions, dtype=float))
    # Pull towards the others, divided by the distance to make a unit vector; nothing for a body and itself.
    strength = np.asarray(connections) * (1 - rest_length / np.where(distance > 0, distance, 1.0))
    return -(spring_constant / mass) * (strength[..., None] * difference).sum(axis=-2)


def energy(positions, velocities, connections, *, mass=1.0, spring_constant=1.0, rest_length=0.0):
    """Total energy in J.

    Parameters
    ----------
    positions, velocities : array-like, shape (..., n_bodies, 2)
    connections : array-like, shape (..., n_bodies, n_bodies)
    mass, spring_constant, rest_length : float

    Returns
    -------
    numpy.ndarray, shape (...)

    Examples
    --------
    >>> from course_lib.simulators import springs
    >>> float(springs.energy([[0.0, 0.0], [2.0, 0.0]], [[0, 0], [0, 1]], [[0, 1], [1, 0]]))
    2.5
    """
    _, distance = _pairs(np.asarray(positions, dtype=float))
    stretch = np.asarray(connections) * (distance - rest_length) ** 2
    kinetic = 0.5 * mass * (np.asarray(velocities, dtype=float) ** 2).sum(axis=(-1, -2))
    return kinetic + 0.25 * spring_constant * stretch.sum(axis=(-1, -2))


def simulate(
    n_systems,
    *,
    n_bodies=5,
    n_steps=50,
    time_step=0.1,
    steps_between=10,
    mass=1.0,
    spring_constant=1.0,
    rest_length=0.0,
    connected_fraction=0.5,
    seed=None,
):
    """Random systems and their motion.

    Parameters
    ----------
    n_systems, n_bodies : int
    n_steps : int
        Recorded steps after the start.
    time_step : float
        Time in s between recorded steps.
    steps_between : int
        Steps of the integrator within one recorded step.
    mass, spring_constant, rest_length : float
        In kg, N/m and m.
    connected_fraction : float
        Probability that a pair is connected.
    seed : int, optional

    Returns
    -------
    positions, velocities : numpy.ndarray, float64, shape (n_systems, n_steps + 1, n_bodies, 2)
        In m and m/s, in the frame in which the centre of mass rests.
    connections : numpy.ndarray, int8, shape (n_systems, n_bodies, n_bodies)

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import springs
    >>> positions, velocities, connections = springs.simulate(3, n_bodies=4, n_steps=20, seed=0)
    >>> positions.shape, connections.shape
    ((3, 21, 4, 2), (3, 4, 4))
    """
    n_systems = require_count("n_systems", n_systems)
    n_bodies = require_count("n_bodies", n_bodies, minimum=2)
    n_steps = require_count("n_steps", n_steps)
    steps_between = require_count("steps_between", steps_between)
    require_positive("mass", mass)
    require_positive("spring_constant", spring_constant)
    require_positive("rest_length", rest_length, zero_allowed=True)
    if not 0 <= connected_fraction <= 1:
        raise ValueError(f"connected_fraction must be between 0 and 1, got {connected_fraction!r}")
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(size=(n_systems, n_bodies, n_bodies)) < connected_fraction, k=1)
    connections = (upper | upper.transpose(0, 2, 1)).astype(np.int8)
    position, velocity = rng.standard_normal((2, n_systems, n_bodies, 2))
    position -= position.mean(axis=1, keepdims=True)
    velocity -= velocity.mean(axis=1, keepdims=True)
    constants = {"mass": mass, "spring_constant": spring_constant, "rest_length": rest_length}
    positions, velocities = leapfrog(
        lambda where: accelerations(where, connections, **constants),
        position,
        velocity,
        time_step=time_step / steps_between,
        n_steps=n_steps * steps_between,
        record_every=steps_between,
    )
    return positions.transpose(1, 0, 2, 3).copy(), velocities.transpose(1, 0, 2, 3).copy(), connections
