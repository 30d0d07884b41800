r"""Integrators for Hamiltonian systems :math:`H = \sum p^2/2m + V(q)`, written for velocities.

`leapfrog` is symplectic and second order: the energy of a bound orbit oscillates within a band proportional to the
square of the time step but never drifts. `explicit_euler` is the counterexample: it multiplies the energy of a
harmonic oscillator by :math:`1+(\omega\,\Delta t)^2` in every step. `runge_kutta4` is fourth order but not
symplectic: very accurate for a few periods, slowly losing energy over many.

References
----------
E. Hairer, C. Lubich, G. Wanner, Acta Numerica 12 (2003) 399 (Störmer-Verlet, called leapfrog in physics).
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive


def _start(position, velocity, time_step, n_steps, record_every):
    position = np.array(position, dtype=float)
    velocity = np.array(velocity, dtype=float)
    if position.shape != velocity.shape:
        raise ValueError(f"position and velocity must have the same shape, got {position.shape} and {velocity.shape}")
    require_positive("time_step", time_step)
    n_steps = require_count("n_steps", n_steps)
    record_every = require_count("record_every", record_every)
    if n_steps % record_every:
        raise ValueError(f"n_steps must be a multiple of record_every, got {n_steps} and {record_every}")
    positions = np.empty((n_steps // record_every + 1, *position.shape))
    velocities = np.empty_like(positions)
    positions[0], velocities[0] = position, velocity
    return position, velocity, positions, velocities


def leapfrog(acceleration, position, velocity, *, time_step, n_steps, record_every=1):
    """Integrate with the velocity form of the leapfrog: half a kick, a drift, half a kick.

    Parameters
    ----------
    acceleration : callable
        ``acceleration(position)`` with the shape of `position`.
    position, velocity : array-like, any equal shape
        At time 0. All systems of a batch are integrated at once.
    time_step : float
    n_steps : int
    record_every : int
        Keep only every so many steps, to save memory; must divide `n_steps`.

    Returns
    -------
    positions, velocities : numpy.ndarray, float64, shape (n_steps / record_every + 1, *position.shape)
        Including the start.

    Raises
    ------
    ValueError
        For different shapes or bad numbers.

    Examples
    --------
    >>> from course_lib.simulators.integrators import leapfrog
    >>> positions, velocities = leapfrog(lambda q: -q, 1.0, 0.0, time_step=0.1, n_steps=1000)
    >>> bool(abs(positions**2 + velocities**2 - 1).max() < 0.003)
    True
    """
    position, velocity, positions, velocities = _start(position, velocity, time_step, n_steps, record_every)
    kick = acceleration(position)
    for step in range(1, n_steps + 1):
        velocity = velocity + 0.5 * time_step * kick
        position = position + time_step * velocity
        kick = acceleration(position)
        velocity = velocity + 0.5 * time_step * kick
        if step % record_every == 0:
            positions[step // record_every], velocities[step // record_every] = position, velocity
    return positions, velocities


def explicit_euler(acceleration, position, velocity, *, time_step, n_steps, record_every=1):
    """Integrate with the explicit Euler method, which gains energy in every step.

    Parameters and returns as for `leapfrog`.

    Examples
    --------
    >>> from course_lib.simulators.integrators import explicit_euler
    >>> positions, velocities = explicit_euler(lambda q: -q, 1.0, 0.0, time_step=0.1, n_steps=200)
    >>> round(float(positions[-1] ** 2 + velocities[-1] ** 2), 2)  # 1.01 to the power of 200
    7.32
    """
    position, velocity, positions, velocities = _start(position, velocity, time_step, n_steps, record_every)
    for step in range(1, n_steps + 1):
        position, velocity = position + time_step * velocity, velocity + time_step * acceleration(position)
        if step % record_every == 0:
            positions[step // record_every], velocities[step // record_every] = position, velocity
    return positions, velocities


def runge_kutta4(acceleration, position, velocity, *, time_step, n_steps, record_every=1):
    """Integrate with the classical fourth-order Runge-Kutta method.

    Parameters and returns as for `leapfrog`.

    Examples
    --------
    >>> from course_lib.simulators.integrators import runge_kutta4
    >>> positions, _ = runge_kutta4(lambda q: -q, 1.0, 0.0, time_step=0.1, n_steps=100)
    >>> bool(abs(positions[-1] - np.cos(10.0)) < 1e-5)
    True
    """
    position, velocity, positions, velocities = _start(position, velocity, time_step, n_steps, record_every)
    for step in range(1, n_steps + 1):
        v1, a1 = velocity, acceleration(position)
        v2 = velocity + 0.5 * time_step * a1
        a2 = acceleration(position + 0.5 * time_step * v1)
        v3 = velocity + 0.5 * time_step * a2
        a3 = acceleration(position + 0.5 * time_step * v2)
        v4 = velocity + time_step * a3
        a4 = acceleration(position + time_step * v3)
        position = position + time_step / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        velocity = velocity + time_step / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        if step % record_every == 0:
            positions[step // record_every], velocities[step // record_every] = position, velocity
    return positions, velocities
