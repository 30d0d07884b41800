r"""Tracks of electrons in xenon gas: double beta decay without neutrinos against single electrons.

Two electrons start at one point and share the energy Q = 2.4578 MeV; a gamma ray of the surroundings makes one
electron that carries all of it. Total energy says nothing here, the topology everything: an electron loses
:math:`0.105\,\mathrm{MeV/cm}/\beta^2` in gas of 15 bar, so that it deposits most where it stops. Two electrons leave a
dense blob at both ends of the track, one electron at one end only. Multiple scattering curls the track: in each step
dz the direction turns by a Gaussian angle in each of two planes,

.. math:: \sigma = \frac{13.6\,\mathrm{MeV}}{\beta p c}\sqrt{\frac{dz}{X_0}}\left[1+0.038\ln\frac{dz}{X_0}\right].

Energies of the two electrons follow, in units of the electron's mass, the law of Primakoff and Rosen for
:math:`0^+\to0^+` decays,

.. math:: \frac{dN}{dT_1} \propto (T_1+1)^2\,(T_2+1)^2, \qquad T_1+T_2=Q, \qquad
          \frac{dN}{d\cos\theta} \propto 1-\beta_1\beta_2\cos\theta.

References
----------
NEXT collaboration, J. Renner et al., J. Instrum. 12 (2017) T01004: networks on such tracks, and the simplified
simulation rebuilt here. H. Primakoff, S. P. Rosen, Rep. Prog. Phys. 22 (1959) 121; M. Doi, T. Kotani, E. Takasugi,
Prog. Theor. Phys. Suppl. 83 (1985) 1: energies and angle. V. Highland, Nucl. Instrum. Meth. 129 (1975) 497, and the
Particle Data Group: scattering.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive

#: Energy that the decay of xenon-136 sets free, and mass of the electron.
DECAY_ENERGY_MEV, ELECTRON_MASS_MEV = 2.4578, 0.51099895

#: Loss of a fast electron in xenon of 15 bar, and the radiation length there.
LEAST_LOSS_MEV_PER_CM, RADIATION_LENGTH_CM = 0.105, 97.0

#: Length of a step, pixels along an edge of an image, and edge of a pixel.
STEP_CM, SIZE, PIXEL_CM = 0.2, 24, 1.0

#: Energy within this distance of an end of the track counts as its blob.
BLOB_RADIUS_CM = 2.0

#: What `sharing` may be.
SHARINGS = ("phase_space", "equal")

#: The two axes that each channel of an image shows.
PLANES = ("xy", "xz", "yz")

# Groups of ionisation electrons that diffuse on their own, for each step.
_GROUPS = 4
_CHUNK = 500


def _beta_and_momentum(energies_mev):
    total = energies_mev + ELECTRON_MASS_MEV
    momentum = np.sqrt(np.maximum(total**2 - ELECTRON_MASS_MEV**2, 0.0))
    return momentum / total, momentum


def scattering_angle(energy_mev, length_cm=STEP_CM):
    """Standard deviation of the angle in one plane after a thin layer of the gas.

    Parameters
    ----------
    energy_mev : array-like
        Kinetic energy of the electron.
    length_cm : float

    Returns
    -------
    numpy.ndarray
        In rad.

    Examples
    --------
    >>> from course_lib.simulators import double_beta
    >>> float(double_beta.scattering_angle(2.0).round(2))
    0.2
    """
    beta, momentum = _beta_and_momentum(np.asarray(energy_mev, dtype=float))
    thickness = length_cm / RADIATION_LENGTH_CM
    return 13.6 / (beta * momentum) * np.sqrt(thickness) * (1 + 0.038 * np.log(thickness))


def electron_energies(n_decays, *, sharing="phase_space", seed=None):
    """Kinetic energies of the two electrons of each decay.

    Parameters
    ----------
    n_decays : int
    sharing : {"phase_space", "equal"}
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n_decays, 2)
        In MeV.

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import double_beta
    >>> double_beta.electron_energies(2, sharing="equal")
    array([[1.2289, 1.2289],
           [1.2289, 1.2289]])
    """
    n_decays = require_count("n_decays", n_decays)
    if sharing not in SHARINGS:
        raise ValueError(f"sharing must be one of {', '.join(map(repr, SHARINGS))}, got {sharing!r}")
    if sharing == "equal":
        return np.full((n_decays, 2), DECAY_ENERGY_MEV / 2)
    rng = np.random.default_rng(seed)
    # Rejection: the density is largest for equal energies.
    largest = (DECAY_ENERGY_MEV / 2 + ELECTRON_MASS_MEV) ** 4
    first = np.empty(0)
    while len(first) < n_decays:
        energy = rng.uniform(0.0, DECAY_ENERGY_MEV, 2 * n_decays)
        weight = ((energy + ELECTRON_MASS_MEV) * (DECAY_ENERGY_MEV - energy + ELECTRON_MASS_MEV)) ** 2
        first = np.concatenate([first, energy[largest * rng.uniform(size=2 * n_decays) < weight]])
    first = first[:n_decays]
    return np.column_stack([first, DECAY_ENERGY_MEV - first])


def _perpendicular(direction, azimuth):
    """Unit vectors perpendicular to unit vectors (n, 3), at an azimuth around them."""
    # The axis least parallel to the direction spans a plane with it that is never degenerate.
    axis = np.eye(3)[np.abs(direction).argmin(1)]
    first = np.cross(direction, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(direction, first)
    return np.cos(azimuth)[:, None] * first + np.sin(azimuth)[:, None] * second


def _turned(direction, angle, azimuth):
    turned = np.cos(angle)[:, None] * direction + np.sin(angle)[:, None] * _perpendicular(direction, azimuth)
    return turned / np.linalg.norm(turned, axis=1, keepdims=True)


def tracks(energies_mev, directions, *, scattering=1.0, seed=None):
    """Follow electrons from the origin until they stop.

    Parameters
    ----------
    energies_mev : array-like, shape (n,)
        Kinetic energies.
    directions : array-like, shape (n, 3)
        Unit vectors.
    scattering : float
        Factor of the scattering angle; 0 for straight tracks.
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    positions_cm : numpy.ndarray, float64, shape (n, m, 3)
        Middle of each step; where an electron has stopped, its end.
    deposits_mev : numpy.ndarray, float64, shape (n, m)
        Energy lost in each step; 0 after the end.
    ends_cm : numpy.ndarray, float64, shape (n, 3)

    Raises
    ------
    ValueError
        For bad numbers or shapes.

    Examples
    --------
    >>> from course_lib.simulators import double_beta
    >>> positions_cm, deposits_mev, ends_cm = double_beta.tracks([2.4578], [[0, 0, 1]], scattering=0)
    >>> float(deposits_mev.sum().round(6)), float(ends_cm[0, 2].round(0))
    (2.4578, 20.0)
    """
    energy = np.array(energies_mev, dtype=float)
    direction = np.array(directions, dtype=float)
    if energy.ndim != 1 or direction.shape != (len(energy), 3):
        raise ValueError(
            f"energies_mev and directions must have the shapes (n,) and (n, 3), got {energy.shape} and "
            f"{direction.shape}"
        )
    scattering = require_positive("scattering", scattering, zero_allowed=True)
    rng = np.random.default_rng(seed)
    place = np.zeros_like(direction)
    positions, deposits = [], []
    while energy.any():
        moving = energy > 0
        beta, _ = _beta_and_momentum(np.where(moving, energy, 1.0))
        full = LEAST_LOSS_MEV_PER_CM / beta**2 * STEP_CM
        lost = np.minimum(full, energy)
        # The last step ends where the energy does.
        length = np.where(moving, STEP_CM * lost / full, 0.0)[:, None]
        positions.append(place + 0.5 * length * direction)
        deposits.append(lost)
        place = place + length * direction
        energy = energy - lost
        if scattering:
            angles = rng.standard_normal((2, len(energy)))
            angles *= scattering * scattering_angle(np.where(energy > 0, energy, 1.0))
            direction = _turned(direction, np.hypot(*angles), np.arctan2(*angles))
    if not positions:
        raise ValueError("energies_mev must hold at least one positive energy")
    return np.stack(positions, axis=1), np.stack(deposits, axis=1), place


def _isotropic(rng, number):
    direction = rng.standard_normal((number, 3))
    return direction / np.linalg.norm(direction, axis=1, keepdims=True)


def opening_cosines(energies_mev, *, seed=None):
    """Cosine of the angle between the two electrons of each decay.

    Parameters
    ----------
    energies_mev : array-like, shape (n, 2)
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n,)

    Examples
    --------
    Mostly back to back:

    >>> import numpy as np
    >>> from course_lib.simulators import double_beta
    >>> float(double_beta.opening_cosines(np.full((5000, 2), 1.2289), seed=0).mean().round(1))
    -0.3
    """
    beta, _ = _beta_and_momentum(np.asarray(energies_mev, dtype=float))
    slope = np.minimum(-beta.prod(1), -1e-9)
    quantile = np.random.default_rng(seed).uniform(size=len(slope))
    # Inverse of the cumulative distribution of (1 + slope * cosine) / 2.
    return (np.sqrt(np.maximum(1 - 2 * slope * (1 - slope / 2 - 2 * quantile), 0.0)) - 1) / slope


def sample(n_events, *, signal_fraction=0.5, sharing="phase_space", scattering=1.0, diffusion_cm=0.0, seed=None):
    """Draw events, seen from three sides.

    Parameters
    ----------
    n_events : int
    signal_fraction : float
        Share of double beta decays, rounded to whole events.
    sharing : {"phase_space", "equal"}
        Of the energy between the two electrons.
    scattering : float
        Factor of the scattering angle.
    diffusion_cm : float
        Standard deviation by which the ionisation spreads along each axis before it is read out.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, float32, shape (n_events, 24, 24, 3)
        Energy in MeV in pixels of 1 cm, seen along each axis (`PLANES`; rows are the first axis of a plane). The middle
        of the track's extent lies in the middle; what lies farther out is lost.
    labels : numpy.ndarray, int64, shape (n_events,)
        1 double beta decay, 0 single electron, in random order.
    electron_energies_mev : numpy.ndarray, float64, shape (n_events, 2)
        True energies; the second is 0 for a single electron.
    blob_energies_mev : numpy.ndarray, float64, shape (n_events, 2)
        Energy within 2 cm of the true ends of the track, larger one first: what an ideal reconstruction would find.

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import double_beta
    >>> images, labels, energies_mev, blobs_mev = double_beta.sample(20, seed=0)
    >>> images.shape, int(labels.sum()), float(energies_mev.sum(1).mean().round(4))
    ((20, 24, 24, 3), 10, 2.4578)
    """
    n_events = require_count("n_events", n_events)
    signal_fraction = require_positive("signal_fraction", signal_fraction, zero_allowed=True)
    if signal_fraction > 1:
        raise ValueError(f"signal_fraction must be at most 1, got {signal_fraction}")
    scattering = require_positive("scattering", scattering, zero_allowed=True)
    diffusion_cm = require_positive("diffusion_cm", diffusion_cm, zero_allowed=True)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_events) < round(signal_fraction * n_events)).astype(np.int64)
    energies_mev = electron_energies(n_events, sharing=sharing, seed=rng)
    energies_mev[labels == 0] = [DECAY_ENERGY_MEV, 0.0]
    images = np.empty((n_events, SIZE, SIZE, 3), np.float32)
    blobs_mev = np.empty((n_events, 2))
    for start in range(0, n_events, _CHUNK):
        rows = slice(start, start + _CHUNK)
        energies = energies_mev[rows]
        number = len(energies)
        first = _isotropic(rng, number)
        cosine = opening_cosines(energies, seed=rng)
        second = _turned(first, np.arccos(cosine), rng.uniform(0.0, 2 * np.pi, number))
        directions = np.concatenate([first, second])
        positions, deposits, ends = tracks(energies.T.ravel(), directions, scattering=scattering, seed=rng)
        # Both electrons of an event side by side.
        positions = np.concatenate([positions[:number], positions[number:]], axis=1)
        deposits = np.concatenate([deposits[:number], deposits[number:]], axis=1)
        ends = np.stack([ends[:number], ends[number:]], axis=1)
        # A missing second electron stays at the common start, which belongs to the track anyway.
        middle = (positions.max(1) + positions.min(1)) / 2
        if diffusion_cm:
            positions = np.repeat(positions, _GROUPS, axis=1)
            deposits = np.repeat(deposits / _GROUPS, _GROUPS, axis=1)
            positions = positions + diffusion_cm * rng.standard_normal(positions.shape)
        for end in (0, 1):
            distance = np.linalg.norm(positions - ends[:, end, None, :], axis=2)
            blobs_mev[rows, end] = (deposits * (distance < BLOB_RADIUS_CM)).sum(1)
        images[rows] = _projections(positions - middle[:, None, :], deposits)
    blobs_mev.sort(axis=1)
    return images, labels, energies_mev, blobs_mev[:, ::-1].copy()


def _projections(positions_cm, deposits_mev):
    """Energy in the pixels of the three planes, shape (n, 24, 24, 3)."""
    number = len(positions_cm)
    pixel = np.floor(positions_cm / PIXEL_CM).astype(np.int64) + SIZE // 2
    inside = (pixel >= 0) & (pixel < SIZE)
    images = np.empty((number, SIZE, SIZE, 3), np.float32)
    event = np.arange(number)[:, None]
    for channel, plane in enumerate(PLANES):
        row, column = ("xyz".index(axis) for axis in plane)
        seen = inside[..., row] & inside[..., column] & (deposits_mev > 0)
        index = (event * SIZE + pixel[..., row]) * SIZE + pixel[..., column]
        filled = np.bincount(index[seen], deposits_mev[seen], minlength=number * SIZE * SIZE)
        images[..., channel] = filled.reshape(number, SIZE, SIZE)
    return images
