r"""Electron-positron annihilation into three jets: quark, antiquark and gluon at leading order.

With the energy shares :math:`x_i = 2E_i/\sqrt s`, which sum to 2, the cross section is

.. math:: \frac{1}{\sigma_0}\frac{d\sigma}{dx_1\,dx_2} = \frac{2\alpha_s}{3\pi}\,w(x_1, x_2), \qquad
          w = \frac{x_1^2 + x_2^2}{(1-x_1)(1-x_2)}

for the quark (1) and the antiquark (2). It diverges where the gluon is soft or collinear; three jets are resolved only
if every pair of them has an invariant mass of at least :math:`\sqrt{y\,s}`, that is, if every x is below 1 - y. The
triangle of allowed (x1, x2) lies within the unit square.

References
----------
J. Ellis, M. K. Gaillard, G. G. Ross, Nucl. Phys. B 111 (1976) 253: cross section. JADE collaboration, W. Bartel et
al., Z. Phys. C 33 (1986) 23: resolution by invariant mass. R. K. Ellis, W. J. Stirling, B. R. Webber, QCD and Collider
Physics (1996), section 6.2. Neural sampling of it: E. Bothmann et al., SciPost Phys. 8 (2020) 069; C. Gao, J. Isaacson,
C. Krause, Mach. Learn.: Sci. Technol. 1 (2020) 045023.
"""

from __future__ import annotations

import numpy as np
from scipy.special import spence

from course_lib.simulators._arguments import require_count, require_positive

#: Mass of the Z boson in GeV: where most three-jet events were recorded.
Z_MASS_GEV = 91.19

#: Order of the jets in an event.
JETS = ("quark", "antiquark", "gluon")

#: Smallest squared mass of a pair of jets over s.
RESOLUTION = 0.02

# Draws at once: their arrays fit into the cache of a core.
_CHUNK = 20_000


def _require_resolution(resolution):
    resolution = require_positive("resolution", resolution)
    if resolution >= 1 / 3:
        raise ValueError(f"resolution must be below 1/3, else no three jets are resolved, got {resolution}")
    return resolution


def density(quark_share, antiquark_share, *, resolution=RESOLUTION):
    """The weight w of the cross section; divide by `integral` for a probability density.

    Parameters
    ----------
    quark_share, antiquark_share : array-like
        Energy shares x1 and x2; broadcast against each other.
    resolution : float
        Smallest squared mass of a pair of jets over s.

    Returns
    -------
    numpy.ndarray, float64
        Zero where three jets are not resolved.

    Raises
    ------
    ValueError
        For a resolution outside (0, 1/3).

    Examples
    --------
    >>> from course_lib.simulators import three_jets
    >>> three_jets.density([0.5, 0.99], [0.75, 0.5]).round(2)
    array([6.5, 0. ])
    """
    resolution = _require_resolution(resolution)
    first, second = np.asarray(quark_share, dtype=float), np.asarray(antiquark_share, dtype=float)
    largest = 1 - resolution
    resolved = (first <= largest) & (second <= largest) & (first + second >= 1 + resolution)
    below = np.where(resolved, (1 - first) * (1 - second), 1.0)
    return np.where(resolved, (first**2 + second**2) / below, 0.0)


def integral(resolution=RESOLUTION):
    r"""Integral of `density` over all resolved events, in closed form.

    .. math:: (3-6y)\ln\frac{y}{1-2y} + 2\ln^2\frac{y}{1-y} + \frac52 - 6y - \frac92y^2
              + 4\,\mathrm{Li}_2\frac{y}{1-y} - \frac{\pi^2}{3}

    Multiplied by :math:`2\alpha_s/3\pi` this is the leading-order share of three-jet events.

    Parameters
    ----------
    resolution : float
        y: smallest squared mass of a pair of jets over s.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For a resolution outside (0, 1/3).

    Examples
    --------
    Nearly half of all events, for a coupling of 0.118 and y = 0.02:

    >>> import math
    >>> from course_lib.simulators import three_jets
    >>> round(2 * 0.118 / (3 * math.pi) * three_jets.integral(0.02), 2)
    0.46
    """
    y = _require_resolution(resolution)
    dilogarithm = spence(1 - y / (1 - y))
    return float(
        (3 - 6 * y) * np.log(y / (1 - 2 * y))
        + 2 * np.log(y / (1 - y)) ** 2
        + 2.5
        - 6 * y
        - 4.5 * y**2
        + 4 * dilogarithm
        - np.pi**2 / 3
    )


def _directions(rng, n_events):
    """Two orthogonal unit vectors (n, 3) each that span the plane of an event, uniform over all orientations."""
    first = rng.standard_normal((n_events, 3))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = rng.standard_normal((n_events, 3))
    second -= (second * first).sum(1, keepdims=True) * first
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return first, second


def momenta(energy_shares, *, energy_gev=Z_MASS_GEV, seed=None):
    r"""Four-momenta of massless jets in the centre-of-mass frame, in a random orientation.

    Momentum conservation fixes the angles: :math:`\cos\theta_{12} = 1 - 2(1-x_3)/(x_1x_2)`.

    Parameters
    ----------
    energy_shares : array-like, shape (n, 3)
    energy_gev : float
        Centre-of-mass energy.
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n, 3, 4)
        Jet; energy and the three components of the momentum in GeV.

    Raises
    ------
    ValueError
        For shares that do not sum to 2 or exceed 1.

    Examples
    --------
    >>> from course_lib.simulators import three_jets
    >>> three_jets.momenta([[2 / 3, 2 / 3, 2 / 3]], seed=0).sum(1).round(2) + 0.0
    array([[91.19, 0. , 0. , 0. ]])
    """
    energy_gev = require_positive("energy_gev", energy_gev)
    shares = np.asarray(energy_shares, dtype=float)
    if shares.ndim != 2 or shares.shape[1] != 3:
        raise ValueError(f"energy_shares must have the shape (n, 3), got {shares.shape}")
    if len(shares) and (np.abs(shares.sum(1) - 2).max() > 1e-6 or shares.max() > 1 or shares.min() <= 0):
        raise ValueError("energy_shares must be above 0, at most 1, and sum to 2 in each event; here they do not")
    along, across = _directions(np.random.default_rng(seed), len(shares))
    first, second, third = shares.T
    cosine = np.clip(1 - 2 * (1 - third) / (first * second), -1.0, 1.0)
    sine = np.sqrt(1 - cosine**2)
    result = np.empty((len(shares), 3, 4))
    result[..., 0] = shares
    result[:, 0, 1:] = first[:, None] * along
    result[:, 1, 1:] = (second * cosine)[:, None] * along + (second * sine)[:, None] * across
    result[:, 2, 1:] = -result[:, 0, 1:] - result[:, 1, 1:]
    return result * energy_gev / 2


def sample(n_events, *, resolution=RESOLUTION, energy_gev=Z_MASS_GEV, seed=None):
    """Draw unweighted events.

    Both 1 - x1 and 1 - x2 are drawn uniformly in the logarithm, which takes the poles away; what is left of the
    density, (x1^2 + x2^2) / 2, decides which draws are kept.

    Parameters
    ----------
    n_events : int
    resolution : float
        Smallest squared mass of a pair of jets over s.
    energy_gev : float
        Centre-of-mass energy.
    seed : int, optional

    Returns
    -------
    energy_shares : numpy.ndarray, float64, shape (n_events, 3)
        Of quark, antiquark and gluon.
    momenta_gev : numpy.ndarray, float64, shape (n_events, 3, 4)
        Four-momenta of the jets, see `momenta`.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import three_jets
    >>> energy_shares, momenta_gev = three_jets.sample(100, seed=0)
    >>> energy_shares.shape, momenta_gev.shape, float(energy_shares.sum(1).max().round(6))
    ((100, 3), (100, 3, 4), 2.0)
    """
    n_events = require_count("n_events", n_events)
    resolution = _require_resolution(resolution)
    energy_gev = require_positive("energy_gev", energy_gev)
    rng = np.random.default_rng(seed)
    kept, n_kept = [], 0
    # Each x is at least 2 y, as the two others are at most 1 - y.
    width = np.log(1 - 2 * resolution) - np.log(resolution)
    while n_kept < n_events:
        first, second = 1 - resolution * np.exp(width * rng.uniform(size=(2, _CHUNK)))
        accepted = 2 * rng.uniform(size=_CHUNK) < first**2 + second**2
        accepted &= first + second >= 1 + resolution
        kept.append(np.stack([first[accepted], second[accepted]], axis=1))
        n_kept += len(kept[-1])
    quarks = np.concatenate(kept)[:n_events]
    energy_shares = np.column_stack([quarks, 2 - quarks.sum(1)])
    return energy_shares, momenta(energy_shares, energy_gev=energy_gev, seed=rng)
