"""Two classes of points in the plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import plane_classes as simulator


class PlaneClasses(NamedTuple):
    """Points in the plane with a class each.

    Attributes
    ----------
    points : numpy.ndarray, float64, shape (n, 2)
    labels : numpy.ndarray, int64, shape (n,)
        0 or 1, in random order.
    """

    points: np.ndarray
    labels: np.ndarray


def make_checkerboard(n_samples=500, *, noise=0.0, seed=None):
    """Points whose class is the sign of x1 * x2; see `course_lib.simulators.plane_classes.checkerboard`.

    With ``noise`` the labels near the axes are unreliable; take a second set with ``noise=0.0`` to measure how
    well a network found the rule behind them.

    Parameters
    ----------
    n_samples : int
    noise : float
        0 to 1: the label is read off at the point displaced by up to ``5 * noise`` along each axis.
    seed : int, optional

    Returns
    -------
    PlaneClasses

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_checkerboard
    >>> points, labels = make_checkerboard(200, noise=0.5, seed=0)
    >>> points.shape, labels.shape
    ((200, 2), (200,))
    """
    return PlaneClasses(*simulator.checkerboard(n_samples, noise=noise, seed=seed))


def make_two_moons(n_samples=500, *, noise=0.1, rotation_deg=0.0, seed=None):
    """Two interleaved half circles; see `course_lib.simulators.plane_classes.two_moons`.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of a Gaussian displacement of the points along each axis.
    rotation_deg : float
        Turns everything counter-clockwise about the origin.
    seed : int, optional

    Returns
    -------
    PlaneClasses

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_two_moons
    >>> make_two_moons(200, rotation_deg=35, seed=0).points.shape
    (200, 2)
    """
    return PlaneClasses(*simulator.two_moons(n_samples, noise=noise, rotation_deg=rotation_deg, seed=seed))


def make_circles(n_samples=500, *, noise=0.1, inner_radius=0.5, seed=None):
    """A circle around a smaller one; see `course_lib.simulators.plane_classes.circles`.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of a Gaussian displacement of the points along each axis.
    inner_radius : float
        Between 0 and 1, the radius of the outer circle.
    seed : int, optional

    Returns
    -------
    PlaneClasses

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_circles
    >>> make_circles(200, seed=0).labels.mean()
    np.float64(0.5)
    """
    return PlaneClasses(*simulator.circles(n_samples, noise=noise, inner_radius=inner_radius, seed=seed))


def make_spirals(n_samples=500, *, noise=0.05, turns=1.75, seed=None):
    """Two interleaved spirals; see `course_lib.simulators.plane_classes.spirals`.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of a Gaussian displacement of the points along each axis.
    turns : float
        Number of turns until the radius reaches 1.
    seed : int, optional

    Returns
    -------
    PlaneClasses

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_spirals
    >>> make_spirals(200, seed=0).points.shape
    (200, 2)
    """
    return PlaneClasses(*simulator.spirals(n_samples, noise=noise, turns=turns, seed=seed))
