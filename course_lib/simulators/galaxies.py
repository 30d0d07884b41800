r"""Images of galaxies: ellipticals, spirals of either handedness, and discs seen from the edge.

Light falls off with the radius after Sersic,

.. math:: I(r) = I_e\,\exp\left\{-b_n\left[(r/r_e)^{1/n}-1\right]\right\}, \qquad
          \gamma(2n, b_n) = \tfrac12\,\Gamma(2n),

where half of the light comes from within r_e.

- Elliptical: n from 2 to 5, flattened.
- Spiral: an exponential disc (n = 1) and a small bulge (n = 2), inclined, so that circles become ellipses with the axis
  ratio of cos(inclination). Logarithmic arms modulate the disc; averaged over the azimuth they change nothing.
- Edge-on: an exponential disc of scale length h and scale height z_0 seen from the side,
  :math:`I \propto (R/h)\,K_1(R/h)\,\mathrm{sech}^2(z/z_0)`, with a bulge and a lane of dust.

Seeing blurs the image with a Gaussian point spread function, the number of photons in each pixel, sky included, is a
Poisson number, and a hyperbolic arcsine brings faint and bright parts onto one scale.

References
----------
J. L. Sersic, Atlas de Galaxias Australes (1968); L. Ciotti, Astron. Astrophys. 249 (1991) 99: profile. P. C. van der
Kruit, L. Searle, Astron. Astrophys. 95 (1981) 105: discs from the side. S. Considere, E. Athanassoula, Astron.
Astrophys. 111 (1982) 28: logarithmic arms and their Fourier analysis. R. Lupton et al., Publ. Astron. Soc. Pac. 116
(2004) 133: the scale. Ranges of the parameters are ours.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.special import erf, gamma, gammaincinv, i0, k1

from course_lib.simulators._arguments import require_count, require_positive

#: Names in the order of the labels.
KINDS = ("elliptical", "spiral", "edge_on")

#: Full width at half maximum of the point spread function, in pixels.
SEEING_PX = 1.8

#: Photons of the sky in each pixel, and range of the photons of a galaxy, for a frame of 32 x 32 pixels.
SKY_PHOTONS = 100.0
LOG10_PHOTONS_RANGE = (4.5, 5.3)

#: Photons above the sky where the scale of `stretch` turns from linear to logarithmic, and where it reaches 1.
SOFT_PHOTONS, FULL_PHOTONS = 40.0, 4000.0

# Points a pixel and axis at which the light is evaluated, and pixels around the frame that seeing reaches into. The
# number of points along an axis is even: the centre, where Sersic profiles have a cusp, lies between four of them.
_OVERSAMPLING, _MARGIN_PX = 2, 4


@functools.cache
def _steepness(index):
    return float(gammaincinv(2 * index, 0.5))


def sersic_profile(radius, half_light_radius, index):
    """Surface brightness after Sersic, for a total of 1 over the infinite plane.

    Parameters
    ----------
    radius, half_light_radius : array-like
        In the same unit of length.
    index : float
        n: 1 an exponential disc, 4 a giant elliptical.

    Returns
    -------
    numpy.ndarray
        Per unit of length squared.

    Raises
    ------
    ValueError
        For an index that is not positive.

    Examples
    --------
    >>> from course_lib.simulators import galaxies
    >>> float(galaxies.sersic_profile(5.0, 5.0, 4) / galaxies.sersic_profile(10.0, 5.0, 4)) > 4
    True
    """
    index = require_positive("index", index)
    b = _steepness(index)
    total = 2 * np.pi * index * np.exp(b) * b ** (-2 * index) * gamma(2 * index)
    scaled = np.asarray(radius) / half_light_radius
    root = scaled if index == 1 else np.sqrt(scaled) if index == 2 else scaled ** (1 / index)
    return np.exp(-b * (root - 1)) / (total * np.square(half_light_radius))


def edge_on_profile(along, height, scale_length, scale_height):
    """Surface brightness of an exponential disc seen from the side, for a total of 1 over the infinite plane.

    Parameters
    ----------
    along, height : array-like
        Distances from the centre along the disc and from its plane.
    scale_length, scale_height : array-like
        h and z_0, in the same unit of length.

    Returns
    -------
    numpy.ndarray
        Per unit of length squared.

    Examples
    --------
    >>> import math
    >>> from course_lib.simulators import galaxies
    >>> round(float(galaxies.edge_on_profile(0.0, 0.0, 4.0, 1.0)) * 2 * math.pi * 4.0 * 1.0, 6)
    1.0
    """
    # The integral of x K_1(x) over the whole line is pi, that of sech^2 is 2.
    total = 2 * np.pi * scale_length * scale_height
    return _line_of_sight(np.abs(along) / scale_length) * _sech_squared(np.asarray(height) / scale_height) / total


def _line_of_sight(scaled):
    """x K_1(x), from a table: the function itself takes ten times as long."""
    return np.interp(scaled, *_line_of_sight_table())


@functools.cache
def _line_of_sight_table():
    scaled = np.concatenate([[1e-9], np.linspace(0.005, 16.0, 3200)])
    return scaled, scaled * k1(scaled)


def _sech_squared(scaled):
    # Where the exponential would overflow there is no light.
    return 1.0 / np.cosh(np.clip(scaled, -40.0, 40.0)) ** 2


def stretch(photons):
    r"""Brightness between 0 and 1: :math:`\mathrm{arsinh}(N/40) / \mathrm{arsinh}(4000/40)`, clipped.

    Parameters
    ----------
    photons : array-like
        Photons in a pixel above the mean sky.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from course_lib.simulators import galaxies
    >>> galaxies.stretch([-10.0, 0.0, 4000.0, 1e6])
    array([0., 0., 1., 1.])
    """
    scaled = np.arcsinh(np.asarray(photons) / SOFT_PHOTONS) / np.float32(np.arcsinh(FULL_PHOTONS / SOFT_PHOTONS))
    return np.clip(scaled, 0, 1)


def point_spread(size, seeing_px, n_points):
    """Weights that turn light at fine points into light in pixels: seeing and the sum over a pixel in one, exactly.

    Parameters
    ----------
    size : int
        Pixels along an edge.
    seeing_px : float
        Full width at half maximum of the Gaussian; 0 for none.
    n_points : int
        Fine points along an axis, at the centres of equal parts of the frame and of a margin around it.

    Returns
    -------
    numpy.ndarray, float64, shape (size, n_points)

    Examples
    --------
    Light from the middle of the frame is not lost:

    >>> from course_lib.simulators import galaxies
    >>> weights = galaxies.point_spread(32, 2.0, 120)
    >>> float(weights[:, 60].sum().round(6))
    1.0
    """
    border = np.arange(size + 1) - size / 2
    distance = border[:, None] - _fine_points(size, n_points)[None, :]
    if seeing_px == 0:
        below = (distance > 0).astype(float)
    else:
        below = 0.5 * (1 + erf(distance / (seeing_px / np.sqrt(4 * np.log(2)))))
    return np.diff(below, axis=0)


def _fine_points(size, n_points):
    return (np.arange(n_points) + 0.5) * (size + 2 * _MARGIN_PX) / n_points - size / 2 - _MARGIN_PX


def _light(kind, rng, x, y, scale):
    """Light of one galaxy for a total of 1 at the points (x, y), and its true parameters."""
    position_angle = rng.uniform(0.0, np.pi)
    radius_px = scale * rng.uniform(3.2, 6.5)
    cosine, sine = np.float32(np.cos(position_angle)), np.float32(np.sin(position_angle))
    along, across = cosine * x + sine * y, cosine * y - sine * x
    if kind == "elliptical":
        axis_ratio, winding = rng.uniform(0.5, 1.0), 0
        # In steps of one half: the steepness is computed once for each.
        index = int(rng.integers(4, 11)) / 2
        radius = np.sqrt(along**2 + (across / np.float32(axis_ratio)) ** 2)
        light = sersic_profile(radius, np.float32(radius_px), index) / axis_ratio
        return light, winding, radius_px, axis_ratio, position_angle

    bulge_share = rng.uniform(0.05, 0.3)
    scale_px = radius_px / _steepness(1)
    if kind == "spiral":
        axis_ratio, winding = rng.uniform(0.4, 1.0), int(rng.choice([-1, 1]))
        n_arms = 2 if rng.uniform() < 0.8 else 3
        pitch, start = np.deg2rad(rng.uniform(14.0, 30.0)), rng.uniform(0.0, 2 * np.pi)
        contrast = rng.uniform(1.0, 2.2)
        across = across / np.float32(axis_ratio)
        squared = along**2 + across**2
        # Within a scale length the arms straighten into a bar: a spiral without end could not be drawn.
        logarithm = 0.5 * np.log(squared + np.float32(0.7 * scale_px) ** 2)
        phase = np.arctan2(across, along) - np.float32(winding / np.tan(pitch)) * logarithm - np.float32(start)
        # Mean 1 over the azimuth, and never negative: the density of the law of von Mises.
        arms = np.exp(np.float32(contrast) * np.cos(n_arms * phase)) / np.float32(i0(contrast))
        disc = sersic_profile(np.sqrt(squared), np.float32(radius_px), 1) * arms / axis_ratio
        # A bulge is round in space, and looks less flattened than the disc.
        bulge_squared = along**2 + (across * np.float32(axis_ratio / (0.5 + 0.5 * axis_ratio))) ** 2
        bulge_px = rng.uniform(0.25, 0.4) * radius_px
        bulge = sersic_profile(np.sqrt(bulge_squared), np.float32(bulge_px), 2) / (0.5 + 0.5 * axis_ratio)
    else:
        axis_ratio, winding = rng.uniform(0.18, 0.3), 0  # thinner ones would fall between the points
        height_px = axis_ratio * scale_px
        disc = edge_on_profile(along, across, np.float32(scale_px), np.float32(height_px))
        dust = rng.uniform(0.0, 1.5)
        disc = disc * np.exp(-np.float32(dust) * _sech_squared(across / np.float32(0.35 * height_px)))
        bulge_px, flattening = rng.uniform(0.2, 0.35) * radius_px, np.float32(0.7)
        bulge_squared = along**2 + (across / flattening) ** 2
        bulge = sersic_profile(np.sqrt(bulge_squared), np.float32(bulge_px), 2) / flattening
    return (1 - bulge_share) * disc + bulge_share * bulge, winding, radius_px, axis_ratio, position_angle


def sample(n_galaxies, *, size=32, kinds=KINDS, seeing_px=SEEING_PX, noise=True, seed=None):
    """Draw galaxies.

    Parameters
    ----------
    n_galaxies : int
    size : int
        Pixels along an edge; galaxies grow with it.
    kinds : sequence of str
        Any of `KINDS`, in equal numbers.
    seeing_px : float
        Full width at half maximum of the point spread function; 0 for none.
    noise : bool
        Poisson numbers of photons of galaxy and sky; without, their means.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, float32, shape (n_galaxies, size, size, 1)
        Brightness from 0 to 1, see `stretch`; the first row is the upper one.
    labels : numpy.ndarray, int64, shape (n_galaxies,)
        Index into `KINDS`, in random order.
    winding : numpy.ndarray, int64, shape (n_galaxies,)
        Arms followed outwards turn anticlockwise (1) or clockwise (-1); 0 without arms.
    radii_px : numpy.ndarray, float64, shape (n_galaxies,)
        Half-light radius; of spirals and edge-on discs that of the disc seen face-on.
    axis_ratios : numpy.ndarray, float64, shape (n_galaxies,)
        Short over long axis; of edge-on discs scale height over scale length.
    position_angles : numpy.ndarray, float64, shape (n_galaxies,)
        Of the long axis, in rad from 0 to pi, anticlockwise from the rows.

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import galaxies
    >>> images, labels, winding, *_ = galaxies.sample(9, seed=0)
    >>> images.shape, sorted(labels.tolist()), bool((winding[labels != 1] == 0).all())
    ((9, 32, 32, 1), [0, 0, 0, 1, 1, 1, 2, 2, 2], True)
    """
    n_galaxies = require_count("n_galaxies", n_galaxies)
    size = require_count("size", size, minimum=8)
    seeing_px = require_positive("seeing_px", seeing_px, zero_allowed=True)
    if isinstance(kinds, str) or not len(kinds) or not set(kinds) <= set(KINDS):
        raise ValueError(f"kinds must be a list of some of {', '.join(map(repr, KINDS))}, got {kinds!r}")
    rng = np.random.default_rng(seed)
    number_of = np.array([KINDS.index(kind) for kind in kinds])
    labels = number_of[rng.permutation(np.arange(n_galaxies) % len(number_of))]
    winding = np.empty(n_galaxies, np.int64)
    truth = np.empty((3, n_galaxies))
    images = np.empty((n_galaxies, size, size), np.float32)

    n_points = (size + 2 * _MARGIN_PX) * _OVERSAMPLING
    points = _fine_points(size, n_points).astype(np.float32)
    x, y = points[None, :], -points[:, None]
    weights = (point_spread(size, seeing_px, n_points) / _OVERSAMPLING).astype(np.float32)
    scale = size / 32
    for galaxy in range(n_galaxies):
        light, winding[galaxy], *truth[:, galaxy] = _light(KINDS[labels[galaxy]], rng, x, y, scale)
        photons = scale**2 * 10 ** rng.uniform(*LOG10_PHOTONS_RANGE)
        images[galaxy] = weights @ (np.float32(photons) * light) @ weights.T
    if noise:
        images = rng.poisson(images + SKY_PHOTONS).astype(np.float32) - np.float32(SKY_PHOTONS)
    return stretch(images)[..., None].astype(np.float32), labels, winding, *truth
