r"""One degree of freedom: the small pendulum (a harmonic oscillator) and the pendulum at any amplitude.

Small amplitude, with an effective spring constant :math:`k`:

.. math:: H = \frac{p^2}{2m} + \frac{k q^2}{2}, \qquad q = q_0\cos(\omega t + \phi), \quad \omega=\sqrt{k/m}

Any amplitude, with the angle :math:`\theta`: :math:`\ddot\theta = -\omega^2\sin\theta - \gamma\dot\theta`. Without
friction its period is exactly :math:`4K(\sin^2(\theta_0/2))/\omega` with the complete elliptic integral K.

References
----------
L. D. Landau, E. M. Lifshitz, Mechanics (3rd edition, 1976), sections 11 and 21.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ellipk

from course_lib.simulators._arguments import require_count, require_positive, require_range
from course_lib.simulators.integrators import leapfrog


def harmonic_energy(position, momentum, *, mass=1.0, spring_constant=1.0):
    """Hamiltonian of the harmonic oscillator.

    Parameters
    ----------
    position, momentum : array-like
        In m and kg m/s.
    mass, spring_constant : float
        In kg and N/m.

    Returns
    -------
    numpy.ndarray
        Energy in J.

    Examples
    --------
    >>> from course_lib.simulators import pendulum
    >>> float(pendulum.harmonic_energy(1.0, 2.0, mass=0.5, spring_constant=3.0))
    5.5
    """
    position, momentum = np.asarray(position, dtype=float), np.asarray(momentum, dtype=float)
    return momentum**2 / (2 * mass) + spring_constant * position**2 / 2


def harmonic_sample(n_samples, *, mass=1.0, spring_constant=1.0, amplitude_range=(0.2, 1.2), noise=0.0, seed=None):
    """States of harmonic oscillators at random phases, with their time derivatives.

    Parameters
    ----------
    n_samples : int
    mass, spring_constant : float
        In kg and N/m.
    amplitude_range : (float, float)
        Amplitudes in m, uniform.
    noise : float
        Standard deviation of Gaussian errors on all four columns.
    seed : int, optional

    Returns
    -------
    states : numpy.ndarray, float64, shape (n_samples, 2)
        Position q in m and momentum p in kg m/s.
    derivatives : numpy.ndarray, float64, shape (n_samples, 2)
        dq/dt in m/s and dp/dt in N.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import pendulum
    >>> states, derivatives = pendulum.harmonic_sample(3, mass=2.0, spring_constant=5.0, seed=0)
    >>> bool(np.allclose(derivatives, states[:, ::-1] * [1 / 2.0, -5.0]))
    True
    """
    n_samples = require_count("n_samples", n_samples)
    mass = require_positive("mass", mass)
    spring_constant = require_positive("spring_constant", spring_constant)
    noise = require_positive("noise", noise, zero_allowed=True)
    low, high = require_range("amplitude_range", amplitude_range)
    rng = np.random.default_rng(seed)
    omega = np.sqrt(spring_constant / mass)
    amplitude = rng.uniform(low, high, n_samples)
    phase = rng.uniform(0, 2 * np.pi, n_samples)
    position = amplitude * np.cos(phase)
    momentum = -mass * omega * amplitude * np.sin(phase)
    states = np.column_stack([position, momentum])
    derivatives = np.column_stack([momentum / mass, -spring_constant * position])
    errors = noise * rng.standard_normal((2, n_samples, 2))
    return states + errors[0], derivatives + errors[1]


def period(amplitude_rad, *, angular_frequency=1.0):
    """Exact period of the frictionless pendulum.

    Parameters
    ----------
    amplitude_rad : array-like
        Largest angle, 0 to pi (excluded).
    angular_frequency : float
        Of small swings, in rad/s.

    Returns
    -------
    numpy.ndarray
        In s.

    Examples
    --------
    >>> from course_lib.simulators import pendulum
    >>> round(float(pendulum.period(np.pi / 2) / (2 * np.pi)), 4)
    1.1803
    """
    return 4 * ellipk(np.sin(np.asarray(amplitude_rad, dtype=float) / 2) ** 2) / angular_frequency


def swing(angle_rad, rate_rad_per_s, *, time_step=0.01, n_steps=1000, angular_frequency=1.0, friction=0.0):
    """Follow pendulums of any amplitude.

    Parameters
    ----------
    angle_rad, rate_rad_per_s : array-like, any equal shape
        Angle and angular velocity at the start.
    time_step : float
        In s.
    n_steps : int
    angular_frequency : float
        Of small swings, in rad/s.
    friction : float
        Damping rate in 1/s.

    Returns
    -------
    angles, rates : numpy.ndarray, float64, shape (n_steps + 1, *angle_rad.shape)

    Raises
    ------
    ValueError
        For different shapes or bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import pendulum
    >>> angles, rates = pendulum.swing(0.5, 0.0, n_steps=10)
    >>> angles.shape
    (11,)
    """
    friction = require_positive("friction", friction, zero_allowed=True)
    omega_squared = require_positive("angular_frequency", angular_frequency) ** 2
    if friction == 0:
        return leapfrog(
            lambda angle: -omega_squared * np.sin(angle),
            angle_rad,
            rate_rad_per_s,
            time_step=time_step,
            n_steps=n_steps,
        )
    return _damped_swing(angle_rad, rate_rad_per_s, time_step, n_steps, omega_squared, friction)


def _damped_swing(angle, rate, time_step, n_steps, omega_squared, friction):
    """Leapfrog with the exact decay of the rate split around each step, still second order."""
    require_positive("time_step", time_step)
    n_steps = require_count("n_steps", n_steps)
    angle, rate = np.array(angle, dtype=float), np.array(rate, dtype=float)
    decay = np.exp(-friction * time_step / 2)
    angles, rates = np.empty((n_steps + 1, *angle.shape)), np.empty((n_steps + 1, *angle.shape))
    angles[0], rates[0] = angle, rate
    for step in range(1, n_steps + 1):
        rate = rate * decay - 0.5 * time_step * omega_squared * np.sin(angle)
        angle = angle + time_step * rate
        rate = (rate - 0.5 * time_step * omega_squared * np.sin(angle)) * decay
        angles[step], rates[step] = angle, rate
    return angles, rates
