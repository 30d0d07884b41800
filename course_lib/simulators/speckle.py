r"""X-ray scattering at small angles, with and without speckle.

A smooth pattern is the ensemble mean of scattering from many particles; coherent light adds speckle: the grainy
interference of the particles that happen to be there. In each of M independent modes of a partly coherent beam the
field is circular Gaussian noise, so that the relative intensity

.. math:: u = \frac1M\sum_{m=1}^M |a_m|^2, \qquad \langle u\rangle=1, \qquad
          \frac{\sigma_u}{\langle u\rangle} = \frac1{\sqrt M}

follows a gamma law: exponential for full coherence. A frame is a Poisson number of photons with the mean
:math:`\mu u`, its target the smooth :math:`\mu=N_0 I_0+b`. Patterns :math:`I_0(q_y,q_z)` are rods with fringes,
polydisperse spheres, or correlation peaks. Frames of the domain "experiment" leave the training domain: other
coherence, core-shell spheres, a beam stop, hot pixels and a gap of the detector.

References
----------
J. W. Goodman, Speckle Phenomena in Optics (Roberts, 2007), chapters 3 and 4: statistics. O. Glatter, O. Kratky, Small
Angle X-ray Scattering (Academic Press, 1982): form factors. Ranges of the parameters are made for exercise 17.1 of
M. Erdmann, J. Glombitza, G. Kasieczka, U. Klemradt, Deep Learning for Physics Research (2021).
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

#: Pixels along an edge of a frame.
SIZE = 64

#: Momentum transfers at the edges of a frame, across and along the surface normal, in 1/nm.
Q_ACROSS, Q_ALONG = (-1.0, 1.0), (0.02, 1.6)

_Q_Y, _Q_Z = np.linspace(*Q_ACROSS, SIZE)[None, :], np.linspace(*Q_ALONG, SIZE)[:, None]

# Waves along an axis, cosine and sine of each frequency in one complex number.
_FREQUENCY = np.arange(SIZE // 2 + 1) / SIZE
_WAVES = np.exp(2j * np.pi * np.outer(np.arange(SIZE), _FREQUENCY)) * np.where(_FREQUENCY % 0.5 > 0, np.sqrt(2), 1)
_WAVES = _WAVES.astype(np.complex64)

#: What `form` may be: drawn from the first three for training; the fourth is kept for the domain "experiment".
FORMS = ("rods", "spheres", "peaks", "core_shell")


def sphere_form_factor(u):
    r"""Form factor of a homogeneous sphere, :math:`[3(\sin u-u\cos u)/u^3]^2`.

    Parameters
    ----------
    u : array-like
        Momentum transfer times radius.

    Returns
    -------
    numpy.ndarray
        1 at zero.

    Examples
    --------
    >>> from course_lib.simulators import speckle
    >>> speckle.sphere_form_factor([0.0, 4.4934094579]).round(6)
    array([1., 0.])
    """
    return _sphere_amplitude(np.asarray(u, dtype=float)) ** 2


def _sphere_amplitude(u):
    small = np.abs(u) < 1e-2
    safe = np.where(small, 1.0, u)
    return np.where(small, 1.0 - u**2 / 10.0, 3.0 * (np.sin(safe) - safe * np.cos(safe)) / safe**3)


def pattern(form, rng):
    """One smooth pattern with random parameters.

    Parameters
    ----------
    form : {"rods", "spheres", "peaks", "core_shell"}
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, float64, shape (64, 64)
        Intensity, largest value 1; rows along the surface normal, columns across.

    Raises
    ------
    ValueError
        For another form.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import speckle
    >>> float(speckle.pattern("rods", np.random.default_rng(0)).max())
    1.0
    """
    q_y, q_z = _Q_Y, _Q_Z
    if form in ("rods", "peaks"):
        height_nm, phase, decay = rng.uniform(5.0, 40.0), rng.uniform(0.0, np.pi), rng.uniform(0.5, 3.0)
        along = (0.2 + np.sin(q_z * height_nm / 2 + phase) ** 2) * np.exp(-decay * q_z)
        if form == "rods":
            radius_nm = rng.uniform(6.0, 18.0)
            across = np.exp(-((q_y * radius_nm) ** 2) / 2) + 0.02 / (1.0 + (q_y / 0.3) ** 2)
        else:
            distance_nm, width = rng.uniform(8.0, 25.0), rng.uniform(0.03, 0.08)
            place = 2 * np.pi / distance_nm
            across = 0.02 + sum(
                strength * np.exp(-(((q_y - centre) / width) ** 2) / 2)
                for centre, strength in ((0.0, 1.0), (place, 0.6), (-place, 0.6))
            )
        intensity = across * along
    elif form in ("spheres", "core_shell"):
        centre_z, radius_nm = rng.uniform(0.2, 1.0), rng.uniform(2.0, 9.0)
        spread = rng.uniform(0.05, 0.2)
        # Both depend on the distance from the centre only: computed on a line, read off in the plane.
        line = np.linspace(0.0, 1.8, 301)
        if form == "spheres":
            deviations = np.linspace(-2.0, 2.0, 9)
            sizes_nm = radius_nm * (1.0 + spread * deviations)
            profile = np.exp(-(deviations**2) / 2) @ sphere_form_factor(np.outer(sizes_nm, line))
        else:
            outer_nm = 1.5 * radius_nm
            shell = outer_nm**3 * _sphere_amplitude(line * outer_nm)
            profile = (shell - 2 * radius_nm**3 * _sphere_amplitude(line * radius_nm)) ** 2
        intensity = np.interp(np.hypot(q_y, q_z - centre_z), line, profile)
        intensity = intensity + 1e-3 * intensity.max()
    else:
        raise ValueError(f"form must be one of {', '.join(map(repr, FORMS))}, got {form!r}")
    return intensity / intensity.max()


def _low_pass_basis(speckle_size_px):
    """Cosines and sines along an axis (64, k), weighted for a Gaussian of this width in space.

    Intensities correlate as the square of the field's correlation. The highest frequencies, with 4e-4 of the power, are
    left out: most of the work for large speckle.
    """
    low_pass = np.exp(-2 * (np.pi * speckle_size_px * _FREQUENCY) ** 2)
    n_kept = max(int((low_pass > 3e-2).sum()), 1)
    weighted = _WAVES[:, :n_kept] * low_pass[:n_kept]
    # The first and the last frequency of an axis have no sine.
    return np.concatenate([weighted.real, weighted.imag[:, 1 : min(n_kept, SIZE // 2)]], axis=1)


def relative_intensity(n_frames, n_modes, *, speckle_size_px=1.5, seed=None):
    r"""Speckle of a beam of mean intensity 1.

    Parameters
    ----------
    n_frames : int
    n_modes : int
        M: 1 is full coherence, the contrast is :math:`1/\sqrt M`.
    speckle_size_px : float
        Standard deviation of the correlation of intensities, in pixels: it falls as :math:`e^{-d^2/2s^2}`.
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    numpy.ndarray, float32, shape (n_frames, 64, 64)
        Periodic at the edges.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import speckle
    >>> relative = speckle.relative_intensity(20, 4, seed=0)
    >>> round(float(relative.mean()), 1), round(float(relative.std()), 1)
    (1.0, 0.5)
    """
    n_frames = require_count("n_frames", n_frames)
    n_modes = require_count("n_modes", n_modes)
    speckle_size_px = require_positive("speckle_size_px", speckle_size_px)
    rng = np.random.default_rng(seed)
    # Real and imaginary parts are independent real fields, and the low pass is a product of both axes: two small
    # matrix products a field are faster than a Fourier transform of all frequencies.
    basis = _low_pass_basis(speckle_size_px).astype(np.float32)
    basis *= np.sqrt(SIZE / (basis**2).sum())  # each field then has the variance 1
    relative = np.empty((n_frames, SIZE, SIZE), np.float32)
    for frame in range(n_frames):
        noise = rng.standard_normal((2 * n_modes, basis.shape[1], basis.shape[1]), dtype=np.float32)
        fields = basis @ (noise @ basis.T)
        np.einsum("mij,mij->ij", fields, fields, out=relative[frame])
    relative /= 2 * n_modes
    return relative


def sample(
    n_frames,
    *,
    domain="simulation",
    modes_range=(2, 12),
    speckle_size_range_px=(1.0, 2.2),
    log10_photons_range=(2.0, 4.5),
    seed=None,
):
    """Draw frames and their smooth targets.

    Parameters
    ----------
    n_frames : int
    domain : {"simulation", "experiment"}
        ``"experiment"``: 1 or 30 modes, core-shell spheres, and a detector with a beam stop, a gap and hot pixels.
    modes_range : (int, int)
        Smallest and largest number of modes; not used for ``"experiment"``.
    speckle_size_range_px : (float, float)
    log10_photons_range : (float, float)
        Decimal logarithm of the mean number of photons in the brightest pixel.
    seed : int, optional

    Returns
    -------
    frames : numpy.ndarray, float32, shape (n_frames, 64, 64)
        Whole numbers of photons.
    targets : numpy.ndarray, float32, shape (n_frames, 64, 64)
        Their mean without speckle, without defects of the detector.
    n_modes : numpy.ndarray, int64, shape (n_frames,)

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import speckle
    >>> frames, targets, n_modes = speckle.sample(10, seed=0)
    >>> frames.shape, targets.shape, n_modes.shape
    ((10, 64, 64), (10, 64, 64), (10,))
    """
    n_frames = require_count("n_frames", n_frames)
    if domain not in ("simulation", "experiment"):
        raise ValueError(f"domain must be 'simulation' or 'experiment', got {domain!r}")
    fewest, most = (require_count("modes_range", int(bound)) for bound in require_range("modes_range", modes_range))
    smallest, largest = require_range("speckle_size_range_px", speckle_size_range_px)
    if smallest <= 0:
        raise ValueError(f"speckle_size_range_px must be positive, got {speckle_size_range_px!r}")
    faint, bright = require_range("log10_photons_range", log10_photons_range)

    rng = np.random.default_rng(seed)
    experiment = domain == "experiment"
    n_modes = rng.choice([1, 30], n_frames) if experiment else rng.integers(fewest, most + 1, n_frames)
    frames = np.empty((n_frames, SIZE, SIZE), np.float32)
    targets = np.empty_like(frames)
    for frame in range(n_frames):
        form = "core_shell" if experiment else FORMS[rng.integers(3)]
        mean = 10.0 ** rng.uniform(faint, bright) * pattern(form, rng) + rng.uniform(0.2, 2.0)
        size_px = rng.uniform(smallest, largest)
        relative = relative_intensity(1, int(n_modes[frame]), speckle_size_px=size_px, seed=rng)[0]
        # The exposure fixes the mean of a frame.
        photons = rng.poisson(mean * (relative / relative.mean())).astype(np.float32)
        if experiment:
            _damage(photons, rng)
        frames[frame], targets[frame] = photons, mean
    return frames, targets, n_modes


def _damage(photons, rng):
    """Hot pixels, beam stop, and gap between two modules, in place."""
    hot = rng.uniform(size=photons.shape) < 0.005
    photons[hot] = 2 * photons.max()
    row, column = np.indices(photons.shape)
    photons[(np.abs(column - SIZE // 2) <= 3) & (row < 5)] = 0
    gap = rng.integers(SIZE // 2, SIZE - 4)
    photons[gap : gap + 2] = 0
