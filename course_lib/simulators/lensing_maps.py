r"""Maps of gravitational lensing: lognormal fields of convergence.

Mass between us and distant galaxies magnifies them; the convergence is the projected mass. It cannot fall below that
of empty space, while its peaks are high: a lognormal law describes it well,

.. math:: \kappa = \kappa_0\left(e^{g-\sigma^2/2}-1\right) > -\kappa_0,

where g is a Gaussian field of variance :math:`\sigma^2`. Everything about such a field is known exactly. Correlations
transform as :math:`\xi_\kappa=\kappa_0^2(e^{\xi_g}-1)`; with the relative spread :math:`s=\sigma_\kappa/\kappa_0` the
skewness is :math:`(3+s^2)s`. The spectrum of g is a power law with a cut-off, :math:`P_g(\ell)\propto
\ell^{-a}e^{-(\ell/\ell_0)^2}`.

Why the spectrum of g is given and not that of the convergence: the inverse transform of a spectrum with such a
cut-off would need negative power at large multipoles, so that no Gaussian field belongs to it.

References
----------
P. Coles, B. Jones, Mon. Not. R. Astron. Soc. 248 (1991) 1: lognormal fields. A. Taruya et al., Astrophys. J. 571 (2002)
638; S. Hilbert, J. Hartlap, P. Schneider, Astron. Astrophys. 536 (2011) A85: lognormal convergence. H. Tomita,
Prog. Theor. Phys. 76 (1986) 952: Minkowski functionals of Gaussian fields. M. Mustafa et al., Comput. Astrophys.
Cosmol. 6 (2019) 1: the generator of such maps that the course rebuilds.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from course_lib.simulators._arguments import require_count, require_positive

#: What `law` may be. "gaussian" has the same power spectrum and nothing else in common.
LAWS = ("lognormal", "gaussian")

#: Defaults: edge of a map in degrees, lowest convergence (negated), its standard deviation.
SIDE_DEG, SHIFT, STANDARD_DEVIATION = 3.5, 0.05, 0.02

#: Of the spectrum of g: power of the multipole, and multipole of the cut-off.
SLOPE, CUTOFF_MULTIPOLE = 2.0, 600.0

_CHUNK_PIXELS = 1 << 20


def multipoles(size, side_deg=SIDE_DEG):
    """Multipole of each Fourier mode of a map.

    Parameters
    ----------
    size : int
        Pixels along an edge.
    side_deg : float
        Length of an edge in degrees.

    Returns
    -------
    numpy.ndarray, float64, shape (size, size)
        In the order of `numpy.fft.fft2`.

    Examples
    --------
    >>> from course_lib.simulators import lensing_maps
    >>> float(lensing_maps.multipoles(32)[0, 1].round(1))
    102.9
    """
    frequency = np.fft.fftfreq(size, d=np.deg2rad(side_deg) / size)
    return 2 * np.pi * np.hypot(frequency[:, None], frequency[None, :])


def _checked(size, side_deg, slope, cutoff_multipole, standard_deviation, shift):
    size = require_count("size", size, minimum=4)
    side_deg = require_positive("side_deg", side_deg)
    slope = require_positive("slope", slope, zero_allowed=True)
    cutoff_multipole = require_positive("cutoff_multipole", cutoff_multipole)
    standard_deviation = require_positive("standard_deviation", standard_deviation)
    shift = require_positive("shift", shift)
    return size, side_deg, slope, cutoff_multipole, standard_deviation, shift


def _mode_variances(size, side_deg, slope, cutoff_multipole, standard_deviation, shift):
    """Variance of g in each mode (size, size); they sum to the variance of g in a pixel."""
    multipole = multipoles(size, side_deg)
    multipole[0, 0] = 1.0
    variances = multipole**-slope * np.exp(-((multipole / cutoff_multipole) ** 2))
    variances[0, 0] = 0.0
    total = variances.sum()
    if not total > 0:
        raise ValueError(
            f"cutoff_multipole must leave some power in the map, whose smallest multipole is {multipole[0, 1]:.0f}, "
            f"got {cutoff_multipole}"
        )
    return variances * np.log1p((standard_deviation / shift) ** 2) / total


def expected_spectrum(
    size=32,
    *,
    side_deg=SIDE_DEG,
    slope=SLOPE,
    cutoff_multipole=CUTOFF_MULTIPOLE,
    standard_deviation=STANDARD_DEVIATION,
    shift=SHIFT,
):
    r"""Exact mean power of the convergence in each Fourier mode, by the transform of the correlation function.

    .. math:: P_\kappa = \mathrm{FT}\left[\kappa_0^2\,(e^{\xi_g}-1)\right]

    Parameters
    ----------
    size, side_deg, slope, cutoff_multipole, standard_deviation, shift
        As in `sample`.

    Returns
    -------
    numpy.ndarray, float64, shape (size, size)
        Angular power in steradian, in the order of `numpy.fft.fft2`.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    Power summed over all modes is the variance:

    >>> import numpy as np
    >>> from course_lib.simulators import lensing_maps
    >>> spectrum = lensing_maps.expected_spectrum(32)
    >>> float(np.sqrt(spectrum.sum()) / np.deg2rad(lensing_maps.SIDE_DEG))
    0.02...
    """
    checked = _checked(size, side_deg, slope, cutoff_multipole, standard_deviation, shift)
    variances = _mode_variances(*checked)
    correlation = shift**2 * np.expm1(scipy.fft.fft2(variances).real)
    # Round-off leaves tiny negative numbers where there is no power.
    power = np.maximum(scipy.fft.ifft2(correlation).real, 0.0)
    return power * np.deg2rad(side_deg) ** 2


def sample(
    n_maps,
    *,
    size=32,
    law="lognormal",
    side_deg=SIDE_DEG,
    slope=SLOPE,
    cutoff_multipole=CUTOFF_MULTIPOLE,
    standard_deviation=STANDARD_DEVIATION,
    shift=SHIFT,
    seed=None,
):
    """Draw maps of the convergence.

    Parameters
    ----------
    n_maps : int
    size : int
        Pixels along an edge.
    law : {"lognormal", "gaussian"}
        ``"gaussian"``: a Gaussian field with the power spectrum of the lognormal one, for comparison.
    side_deg : float
        Length of an edge in degrees.
    slope : float
        The power of g falls with this power of the multipole.
    cutoff_multipole : float
        Where the power of g is cut off.
    standard_deviation : float
        Of the convergence.
    shift : float
        The convergence never falls below minus this value.
    seed : int, optional

    Returns
    -------
    numpy.ndarray, float32, shape (n_maps, size, size)
        Convergence, a pure number; periodic at the edges.

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import lensing_maps
    >>> maps = lensing_maps.sample(200, seed=0)
    >>> maps.shape, bool(maps.min() > -lensing_maps.SHIFT), round(float(maps.std()), 2)
    ((200, 32, 32), True, 0.02)
    """
    n_maps = require_count("n_maps", n_maps)
    checked = _checked(size, side_deg, slope, cutoff_multipole, standard_deviation, shift)
    size, side_deg, slope, cutoff_multipole, standard_deviation, shift = checked
    if law not in LAWS:
        raise ValueError(f"law must be one of {', '.join(map(repr, LAWS))}, got {law!r}")
    if law == "lognormal":
        variances = _mode_variances(*checked)
    else:
        spectrum = expected_spectrum(
            size,
            side_deg=side_deg,
            slope=slope,
            cutoff_multipole=cutoff_multipole,
            standard_deviation=standard_deviation,
            shift=shift,
        )
        variances = spectrum / np.deg2rad(side_deg) ** 2
    # White noise of variance 1, coloured in Fourier space: real in, real out.
    amplitude = np.sqrt(variances[:, : size // 2 + 1] * size**2).astype(np.float32)
    half_variance = np.float32(variances.sum() / 2)
    rng = np.random.default_rng(seed)
    maps = np.empty((n_maps, size, size), np.float32)
    chunk = max(1, _CHUNK_PIXELS // size**2)
    for start in range(0, n_maps, chunk):
        stop = min(start + chunk, n_maps)
        noise = rng.standard_normal((stop - start, size, size), dtype=np.float32)
        field = scipy.fft.irfft2(scipy.fft.rfft2(noise) * amplitude, s=(size, size))
        maps[start:stop] = field if law == "gaussian" else np.float32(shift) * np.expm1(field - half_variance)
    return maps


def _require_maps(maps):
    maps = np.asarray(maps)
    if maps.ndim != 3 or maps.shape[1] != maps.shape[2] or maps.shape[1] < 4:
        raise ValueError(f"maps must have the shape (n, size, size) with size of at least 4, got {maps.shape}")
    return maps


def power_spectrum(maps, *, side_deg=SIDE_DEG, n_bins=12):
    """Angular power spectrum of each map, averaged over rings in Fourier space.

    Parameters
    ----------
    maps : array-like, shape (n, size, size)
    side_deg : float
        Length of an edge in degrees.
    n_bins : int
        Rings between the smallest multipole of a map and that of its pixels; empty ones are left out.

    Returns
    -------
    multipole : numpy.ndarray, float64, shape (m,)
        Mean multipole of the modes of a ring.
    power : numpy.ndarray, float64, shape (n, m)
        In steradian.

    Raises
    ------
    ValueError
        For another shape or bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import lensing_maps
    >>> multipole, power = lensing_maps.power_spectrum(lensing_maps.sample(10, seed=0))
    >>> power.shape, bool(power.mean(0)[0] > 10 * power.mean(0)[-1])
    ((10, 12), True)
    """
    maps = _require_maps(maps)
    side_deg = require_positive("side_deg", side_deg)
    n_bins = require_count("n_bins", n_bins)
    size = maps.shape[1]
    multipole = multipoles(size, side_deg)
    edges = np.linspace(multipole[0, 1] / 2, multipole[0, size // 2], n_bins + 1)
    ring = np.digitize(multipole.ravel(), edges) - 1
    inside = (ring >= 0) & (ring < n_bins)
    number = np.bincount(ring[inside], minlength=n_bins)
    used = number > 0
    sums = np.zeros((size * size, n_bins))
    sums[inside, ring[inside]] = 1.0
    means = sums[:, used] / number[used]
    transformed = scipy.fft.fft2(maps.astype(float)).reshape(len(maps), -1)
    power = np.abs(transformed) ** 2 * (np.deg2rad(side_deg) / size**2) ** 2
    return multipole.ravel() @ means, power @ means


def minkowski_functionals(maps, thresholds):
    r"""Area, boundary and Euler characteristic of the parts of each map above a threshold, per unit of area.

    Pixels are closed squares of a periodic map, and boundaries run along their edges, which makes them longer than a
    smooth contour by a factor of :math:`4/\pi`. For an isotropic Gaussian field of unit variance, whose slope along
    each axis has the variance :math:`\tau`, the expected values at the threshold :math:`\nu` are, for fine pixels,

    .. math:: v_0=\frac12\,\mathrm{erfc}\frac{\nu}{\sqrt2}, \qquad
              v_1=\frac4\pi\,\frac{\sqrt\tau}{2}\,e^{-\nu^2/2}, \qquad
              v_2=\frac{\tau\,\nu}{(2\pi)^{3/2}}\,e^{-\nu^2/2}.

    Parameters
    ----------
    maps : array-like, shape (n, size, size)
    thresholds : array-like, shape (m,)

    Returns
    -------
    area, boundary, euler : numpy.ndarray, float64, shape (n, m)
        Share of the pixels above; length of the boundary in pixels; parts minus holes: the last two per pixel.

    Raises
    ------
    ValueError
        For another shape.

    Examples
    --------
    One pixel above the threshold: area 1, boundary 4, one part, per 16 pixels.

    >>> import numpy as np
    >>> from course_lib.simulators import lensing_maps
    >>> one = np.zeros((1, 4, 4))
    >>> one[0, 1, 2] = 1
    >>> [float(value[0, 0]) * 16 for value in lensing_maps.minkowski_functionals(one, [0.5])]
    [1.0, 4.0, 1.0]
    """
    maps = _require_maps(maps)
    thresholds = np.atleast_1d(np.asarray(thresholds, dtype=float))
    result = np.empty((3, len(maps), len(thresholds)))
    for column, threshold in enumerate(thresholds):
        above = maps > threshold
        beside, below = np.roll(above, -1, 2), np.roll(above, -1, 1)
        diagonal = np.roll(below, -1, 2)
        n_pixels = above.sum((1, 2))
        n_vertical, n_horizontal = (above | beside).sum((1, 2)), (above | below).sum((1, 2))
        n_corners = (above | beside | below | diagonal).sum((1, 2))
        result[0, :, column] = n_pixels
        result[1, :, column] = (above ^ beside).sum((1, 2)) + (above ^ below).sum((1, 2))
        result[2, :, column] = n_pixels - n_vertical - n_horizontal + n_corners
    return tuple(result / maps.shape[1] ** 2)
