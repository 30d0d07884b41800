r"""Skies of cosmic rays: isotropic, or with the streets that magnetic fields draw behind a source.

A nucleus of energy E and charge Z has the rigidity R = E/Z. A field B over a path L deflects it by

.. math:: \delta = \frac{c B L}{R} \approx 5.3°\; \frac{10\,\mathrm{EV}}{R}\;\frac{B}{\mu\mathrm{G}}\;
          \frac{L}{\mathrm{kpc}}

so that the events of one source lie on a great circle, sorted by energy. In a signal sky some of the isotropic
particles are replaced by such events: displaced by :math:`D\cdot 10\,\mathrm{EV}/R` in one random direction for each
source, and scattered by :math:`b\cdot 10\,\mathrm{EV}/R` along and across it.

References
----------
The gyroradius of a relativistic nucleus is any textbook's, e.g. T. K. Gaisser, R. Engel, E. Resconi, Cosmic Rays and
Particle Physics (Cambridge, 2016). The sky maps are made for exercise 10.1 of M. Erdmann, J. Glombitza, G. Kasieczka,
U. Klemradt, Deep Learning for Physics Research (2021).
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

#: Rigidity in EV at which deflection and scatter are given.
REFERENCE_RIGIDITY_EV = 10.0

_SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
_METRES_PER_KILOPARSEC = 3.0856775814913673e19

# Skies of this many fit into the cache of a core.
_CHUNK = 128


def deflection_deg(rigidity_ev, field_microgauss, path_kpc):
    r"""Deflection of a relativistic nucleus in a homogeneous field across its path, for small angles.

    Parameters
    ----------
    rigidity_ev : array-like
        Energy over charge, in EV (10^18 V).
    field_microgauss : array-like
        Field across the path.
    path_kpc : array-like

    Returns
    -------
    numpy.ndarray
        Angle in degrees, path over gyroradius.

    Examples
    --------
    >>> from course_lib.simulators import arrival_directions
    >>> float(arrival_directions.deflection_deg(10.0, 1.0, 1.0).round(2))
    5.3
    """
    rigidity_v = 1e18 * np.asarray(rigidity_ev, dtype=float)
    field_t = 1e-10 * np.asarray(field_microgauss, dtype=float)
    path_m = _METRES_PER_KILOPARSEC * np.asarray(path_kpc, dtype=float)
    return np.degrees(_SPEED_OF_LIGHT_M_PER_S * field_t * path_m / rigidity_v)


def isotropic(shape, rng):
    """Unit vectors without a preferred direction, shape ``(*shape, 3)``, from the generator `rng`.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import arrival_directions
    >>> arrival_directions.isotropic((2, 5), np.random.default_rng(0)).shape
    (2, 5, 3)
    """
    vectors = rng.standard_normal((*shape, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def sample(
    n_skies,
    *,
    n_particles=500,
    n_sources=4,
    events_per_source=8,
    deflection_at_10_ev_deg=18.0,
    scatter_at_10_ev_deg=1.5,
    charge=6,
    energy_range_eev=(40.0, 200.0),
    spectral_index=3.0,
    signal_fraction=0.5,
    seed=None,
):
    r"""Draw skies.

    Parameters
    ----------
    n_skies : int
    n_particles : int
        In each sky.
    n_sources, events_per_source : int
        Of a signal sky; together at most `n_particles` events.
    deflection_at_10_ev_deg, scatter_at_10_ev_deg : float
        Shift and standard deviation of the scatter (in each of two directions) at a rigidity of 10 EV.
    charge : int
        Of all nuclei, in elementary charges.
    energy_range_eev : (float, float)
        Lowest and highest energy.
    spectral_index : float
        dN/dE is proportional to :math:`E^{-\text{index}}`; above 1.
    signal_fraction : float
        Share of signal skies, rounded to whole skies.
    seed : int, optional

    Returns
    -------
    directions : numpy.ndarray, float32, shape (n_skies, n_particles, 3)
        Unit vectors, in random order within a sky.
    energies_eev : numpy.ndarray, float32, shape (n_skies, n_particles)
    labels : numpy.ndarray, int64, shape (n_skies,)
        1 signal, 0 isotropic, in random order.
    origins : numpy.ndarray, int16, shape (n_skies, n_particles)
        Number of the source of each particle, -1 for none; known only in a simulation.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import arrival_directions
    >>> directions, energies_eev, labels, origins = arrival_directions.sample(10, seed=0)
    >>> directions.shape, energies_eev.shape, int(labels.sum()), int((origins >= 0).sum())
    ((10, 500, 3), (10, 500), 5, 160)
    """
    n_skies = require_count("n_skies", n_skies)
    n_particles = require_count("n_particles", n_particles)
    n_sources = require_count("n_sources", n_sources)
    events_per_source = require_count("events_per_source", events_per_source)
    n_signal = n_sources * events_per_source
    if n_signal > n_particles:
        raise ValueError(f"n_particles must be at least n_sources * events_per_source = {n_signal}, got {n_particles}")
    shift_deg = require_positive("deflection_at_10_ev_deg", deflection_at_10_ev_deg, zero_allowed=True)
    scatter_deg = require_positive("scatter_at_10_ev_deg", scatter_at_10_ev_deg, zero_allowed=True)
    charge = require_count("charge", charge)
    low, high = require_range("energy_range_eev", energy_range_eev)
    if low <= 0:
        raise ValueError(f"energy_range_eev must be positive, got {energy_range_eev!r}")
    spectral_index = require_positive("spectral_index", spectral_index)
    if spectral_index <= 1:
        raise ValueError(f"spectral_index must be above 1, got {spectral_index}")
    signal_fraction = require_positive("signal_fraction", signal_fraction, zero_allowed=True)
    if signal_fraction > 1:
        raise ValueError(f"signal_fraction must be at most 1, got {signal_fraction}")

    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_skies) < round(signal_fraction * n_skies)).astype(np.int64)
    directions = np.empty((n_skies, n_particles, 3), np.float32)
    energies_eev = np.empty((n_skies, n_particles), np.float32)
    origins = np.full((n_skies, n_particles), -1, np.int16)
    power = 1.0 - spectral_index
    for start in range(0, n_skies, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_skies))
        n_rows = rows.stop - start
        quantile = rng.uniform(size=(n_rows, n_particles))
        energy = (low**power + quantile * (high**power - low**power)) ** (1.0 / power)
        direction = isotropic((n_rows, n_particles), rng)
        origin = np.full((n_rows, n_particles), -1, np.int16)
        signal = np.flatnonzero(labels[rows])
        if len(signal):
            # The first particles of the sky become the events of the sources; the order is shuffled below.
            sources = isotropic((len(signal), n_sources), rng)
            along = np.cross(sources, isotropic((len(signal), n_sources), rng))
            along /= np.linalg.norm(along, axis=-1, keepdims=True)
            across = np.cross(sources, along)
            rigidity = energy[signal, :n_signal].reshape(len(signal), n_sources, events_per_source) / charge
            scale = np.radians(REFERENCE_RIGIDITY_EV / rigidity)
            scatter = scatter_deg * rng.standard_normal((2, *scale.shape))
            shift_along, shift_across = scale * (shift_deg + scatter[0]), scale * scatter[1]
            angle = np.hypot(shift_along, shift_across)
            # sin(angle) / angle, finite for no shift at all.
            step = np.sinc(angle / np.pi)
            moved = (
                np.cos(angle)[..., None] * sources[:, :, None]
                + (step * shift_along)[..., None] * along[:, :, None]
                + (step * shift_across)[..., None] * across[:, :, None]
            )
            direction[signal, :n_signal] = moved.reshape(len(signal), n_signal, 3)
            origin[signal, :n_signal] = np.repeat(np.arange(n_sources), events_per_source)
        order = rng.permuted(np.broadcast_to(np.arange(n_particles), (n_rows, n_particles)), axis=1)
        directions[rows] = np.take_along_axis(direction, order[..., None], axis=1)
        energies_eev[rows] = np.take_along_axis(energy, order, axis=1)
        origins[rows] = np.take_along_axis(origin, order, axis=1)
    return directions, energies_eev, labels, origins
