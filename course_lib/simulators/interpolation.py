r"""A wiggly function of one variable with noise: the data of the interpolation exercise.

.. math:: f(x) = \frac{\sqrt{|x|} + 0.1x + 0.01x^2 + 1 - \sin x + \tfrac12 e^{x/10}}{\tfrac12 + |\cos x|}

Smooth stretches, sharp peaks where the cosine vanishes and a kink at zero: easy to approximate roughly, hard to
get right everywhere.

References
----------
Exercise 5.2 of M. Erdmann, J. Glombitza, G. Kasieczka, U. Klemradt, Deep Learning for Physics Research (2021).
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range


def function(x):
    """The noiseless curve.

    Parameters
    ----------
    x : array-like

    Returns
    -------
    numpy.ndarray, float64, same shape as `x`

    Examples
    --------
    >>> from course_lib.simulators import interpolation
    >>> float(interpolation.function(0.0))
    1.0
    """
    x = np.asarray(x, dtype=float)
    numerator = np.sqrt(np.abs(x)) + 0.1 * x + 0.01 * x**2 + 1 - np.sin(x) + 0.5 * np.exp(x / 10)
    return numerator / (0.5 + np.abs(np.cos(x)))


def sample(n_samples, *, noise=1.0, x_range=(-10.0, 10.0), seed=None):
    """Points of the curve at random places, with Gaussian noise.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the noise on y.
    x_range : (float, float)
    seed : int, optional

    Returns
    -------
    x, y : numpy.ndarray, float64, shape (n_samples, 1)
        Both are columns: y of the shape (n,) added to noise of the shape (n, 1) would silently become an
        (n, n) table.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import interpolation
    >>> x, y = interpolation.sample(100, seed=0)
    >>> x.shape, y.shape
    ((100, 1), (100, 1))
    """
    n_samples = require_count("n_samples", n_samples)
    noise = require_positive("noise", noise, zero_allowed=True)
    low, high = require_range("x_range", x_range)
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, high, (n_samples, 1))
    return x, function(x) + noise * rng.standard_normal((n_samples, 1))
