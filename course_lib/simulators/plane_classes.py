"""Two classes of points in the plane: checkerboard, two moons, circles, spirals.

Test patterns of classification: each needs a curved or broken boundary, and each has a noise that can be set.

References
----------
The checkerboard follows the exclusive-or pattern of the TensorFlow Playground (D. Smilkov, S. Carter, 2016),
including its noise: labels are read off at a displaced point, so that noise flips labels near the axes. Two
moons and circles are the geometry of scikit-learn's `make_moons` and `make_circles`; the spirals are those of
Archimedes, after K. J. Lang, M. J. Witbrock, Proc. 1988 Connectionist Models Summer School, p. 52.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive

#: Extent of the uniform part of the checkerboard and width of the empty cross along its axes.
CHECKERBOARD_HALF_WIDTH = 5.0
CHECKERBOARD_GAP = 0.3


def _labels(n_samples, rng):
    """Half zeros, half ones (one zero more if odd), shuffled so that a slice is a fair split."""
    return rng.permutation(np.arange(n_samples) % 2)


def checkerboard(n_samples, *, noise=0.0, seed=None):
    """Points whose class is the sign of x1 * x2.

    Parameters
    ----------
    n_samples : int
    noise : float
        0 to 1. The label is read off at the point displaced by up to ``noise * CHECKERBOARD_HALF_WIDTH`` along each
        axis; 0.5 flips 17.5 % of the labels, those near the axes.
    seed : int, optional

    Returns
    -------
    points : numpy.ndarray, float64, shape (n_samples, 2)
        0.3 < |x1|, |x2| < 5.3.
    labels : numpy.ndarray, int64, shape (n_samples,)
        1 where both coordinates have the same sign, else 0 (before noise).

    Raises
    ------
    ValueError
        For a bad number of samples or a noise outside [0, 1].

    Examples
    --------
    >>> from course_lib.simulators import plane_classes
    >>> points, labels = plane_classes.checkerboard(100, seed=0)
    >>> bool((labels == (points.prod(axis=1) > 0)).all())
    True
    """
    n_samples = require_count("n_samples", n_samples)
    noise = require_positive("noise", noise, zero_allowed=True)
    if noise > 1:
        raise ValueError(f"noise must be between 0 and 1, got {noise}")
    rng = np.random.default_rng(seed)
    half_width = CHECKERBOARD_HALF_WIDTH
    points = rng.uniform(-half_width, half_width, (n_samples, 2))
    points += np.copysign(CHECKERBOARD_GAP, points)
    displaced = points + noise * rng.uniform(-half_width, half_width, (n_samples, 2))
    return points, (displaced.prod(axis=1) > 0).astype(np.int64)


def two_moons(n_samples, *, noise=0.1, rotation_deg=0.0, seed=None):
    """Two interleaved half circles of radius 1.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of a Gaussian displacement along each axis.
    rotation_deg : float
        Turns everything counter-clockwise about the origin: a shifted domain for adaptation.
    seed : int, optional

    Returns
    -------
    points : numpy.ndarray, float64, shape (n_samples, 2)
    labels : numpy.ndarray, int64, shape (n_samples,)
        0: upper moon about (0, 0); 1: lower moon about (1, 0.5). Equally many, shuffled.

    Raises
    ------
    ValueError
        For a bad number.

    Examples
    --------
    >>> from course_lib.simulators import plane_classes
    >>> points, labels = plane_classes.two_moons(100, seed=0)
    >>> int(labels.sum())
    50
    """
    n_samples = require_count("n_samples", n_samples)
    noise = require_positive("noise", noise, zero_allowed=True)
    rng = np.random.default_rng(seed)
    labels = _labels(n_samples, rng)
    angle = rng.uniform(0.0, np.pi, n_samples)
    sign = 1 - 2 * labels
    points = np.column_stack([labels + sign * np.cos(angle), 0.5 * labels + sign * np.sin(angle)])
    points += noise * rng.standard_normal(points.shape)
    cosine, sine = np.cos(np.radians(rotation_deg)), np.sin(np.radians(rotation_deg))
    return points @ np.array([[cosine, sine], [-sine, cosine]]), labels


def circles(n_samples, *, noise=0.1, inner_radius=0.5, seed=None):
    """A circle of radius 1 around a smaller one.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of a Gaussian displacement along each axis.
    inner_radius : float
        Between 0 and 1.
    seed : int, optional

    Returns
    -------
    points : numpy.ndarray, float64, shape (n_samples, 2)
    labels : numpy.ndarray, int64, shape (n_samples,)
        0: outer circle, 1: inner circle. Equally many, shuffled.

    Raises
    ------
    ValueError
        For a bad number.

    Examples
    --------
    >>> from course_lib.simulators import plane_classes
    >>> plane_classes.circles(10, seed=0)[0].shape
    (10, 2)
    """
    n_samples = require_count("n_samples", n_samples)
    noise = require_positive("noise", noise, zero_allowed=True)
    inner_radius = require_positive("inner_radius", inner_radius)
    if inner_radius >= 1:
        raise ValueError(f"inner_radius must be less than 1, the radius of the outer circle, got {inner_radius}")
    rng = np.random.default_rng(seed)
    labels = _labels(n_samples, rng)
    angle = rng.uniform(0.0, 2 * np.pi, n_samples)
    radius = np.where(labels == 1, inner_radius, 1.0)
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return points + noise * rng.standard_normal(points.shape), labels


def spirals(n_samples, *, noise=0.05, turns=1.75, seed=None):
    r"""Two Archimedean spirals :math:`r\propto\varphi`, one the other turned by half a turn.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of a Gaussian displacement along each axis; neighbouring arms are
        ``1 / (2 * turns)`` apart.
    turns : float
        Number of turns until the radius reaches 1.
    seed : int, optional

    Returns
    -------
    points : numpy.ndarray, float64, shape (n_samples, 2)
        Without noise inside the unit circle.
    labels : numpy.ndarray, int64, shape (n_samples,)
        Which arm. Equally many, shuffled.

    Raises
    ------
    ValueError
        For a bad number.

    Examples
    --------
    >>> from course_lib.simulators import plane_classes
    >>> points, labels = plane_classes.spirals(200, noise=0.0, seed=0)
    >>> bool(np.hypot(*points.T).max() <= 1)
    True
    """
    n_samples = require_count("n_samples", n_samples)
    noise = require_positive("noise", noise, zero_allowed=True)
    turns = require_positive("turns", turns)
    rng = np.random.default_rng(seed)
    labels = _labels(n_samples, rng)
    # The square root spreads the points evenly along the arm instead of crowding the centre.
    radius = np.sqrt(rng.uniform(0.0, 1.0, n_samples))
    angle = 2 * np.pi * turns * radius + np.pi * labels
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return points + noise * rng.standard_normal(points.shape), labels
