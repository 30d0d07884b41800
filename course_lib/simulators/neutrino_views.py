r"""Neutrino interactions in liquid argon, as seen by two or three planes of wires.

A neutrino of 1 to 3 GeV hits a nucleus. A charged current makes a muon or an electron, a neutral current nothing but
the recoil; protons and pions come along with each. The charge that they leave behind drifts to planes of wires. All
planes measure the same drift coordinate x; each measures one more coordinate, across its wires,

.. math:: w = z\cos\alpha + y\sin\alpha,

where z runs along the beam. Each plane thus sees the same charge, from another side. Detectors of crossed strips have
two views without a common coordinate across the beam instead: (x, z) and (y, z).

- Muons, pions and protons are tracks: they lose energy after Bethe, with the density effect of liquid argon, until they
  stop, leave the picture, or (pions) hit a nucleus. Each step turns them by 13.6 MeV / (beta p c) times the root of
  the thickness in radiation lengths.
- Electrons and photons make showers: a gamma law in depth, nine tenths of the energy within one Moliere radius. An
  electron begins as one thin track, a photon as two on top of each other after a gap of 9/7 radiation lengths on
  average: this tells them apart.
- Neutral pions decay into two photons at once, with exact kinematics.

How often what is made, and how the energy is shared, is a toy of ours; only the passage through argon is physics to
measure with.

References
----------
Particle Data Group, passage of particles through matter and atomic properties of liquid argon; density effect after
R. M. Sternheimer, M. J. Berger, S. M. Seltzer, At. Data Nucl. Data Tables 30 (1984) 261. Showers: E. Longo,
I. Sestili, Nucl. Instrum. Meth. 128 (1975) 283. Two planes at 30 degrees: ArgoNeuT, C. Anderson et al., J. Instrum. 7
(2012) P10019, who also tell electrons from photons (R. Acciarri et al., Phys. Rev. D 95 (2017) 072005). Three planes:
MicroBooNE, R. Acciarri et al., J. Instrum. 12 (2017) P02017. Crossed strips, and networks with one tower a view:
A. Aurisano et al., J. Instrum. 11 (2016) P09001.
"""

from __future__ import annotations

import functools

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

#: Names in the order of the labels: charged current of a muon or an electron neutrino, neutral current of any.
KINDS = ("muon_neutrino", "electron_neutrino", "neutral_current")

#: Classes of pixels.
PIXEL_CLASSES = ("background", "track", "shower")


def _planes(*angles_deg):
    angles = np.deg2rad(angles_deg)
    return tuple(((1.0, 0.0, 0.0), (0.0, float(np.sin(angle)), float(np.cos(angle)))) for angle in angles)


#: What `views` may be: for each view the direction of its rows and of its columns, in terms of the drift (horizontal),
#: the vertical and the beam.
VIEWS = {
    "two_planes": _planes(-30.0, 30.0),
    "three_planes": _planes(0.0, 60.0, -60.0),
    "crossed": (((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)), ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
}

#: Liquid argon.
DENSITY_G_PER_CM3, RADIATION_LENGTH_CM, CRITICAL_ENERGY_MEV = 1.396, 14.0, 32.84
MOLIERE_RADIUS_CM, PION_INTERACTION_LENGTH_CM = 9.04, 107.0
_CHARGE_OVER_MASS, _EXCITATION_EV = 18 / 39.948, 188.0

#: Masses in MeV of what makes a track.
MASSES_MEV = {"muon": 105.658, "pion": 139.570, "proton": 938.272}
NEUTRAL_PION_MASS_MEV = 134.977
_ELECTRON_MASS_MEV = 0.510999

#: Energy of a pixel from which on it belongs to a track or a shower.
CLASS_THRESHOLD_MEV = 1.0

#: Slope of the longitudinal profile of showers per radiation length.
SHOWER_SLOPE = 0.5

# Largest steps of tracks and points of showers; small pixels get finer ones.
_STEP_CM, _SHOWER_POINT_MEV = 1.0, 4.0
# Relative spread of the energy lost in 1 cm: the bulk of Landau's law, without its tail of knocked-on electrons.
_LOSS_SPREAD = 0.25
_STUB_CM = 7.0
# Wide tails are cut: the last part of the energy would lie metres away.
_LARGEST_LATERAL_SHARE = 0.985
_CHUNK = 500


def mean_loss(particle, energy_mev):
    """Mean energy loss in liquid argon after Bethe, with the density effect.

    Parameters
    ----------
    particle : {"muon", "pion", "proton"}
    energy_mev : array-like
        Kinetic energy, from about 1 MeV.

    Returns
    -------
    numpy.ndarray
        In MeV/cm.

    Examples
    --------
    A muon of 300 MeV is nearly minimum ionising:

    >>> from course_lib.simulators import neutrino_views
    >>> float(neutrino_views.mean_loss("muon", 300.0).round(2))
    2.11
    """
    mass = MASSES_MEV[particle]
    gamma = 1 + np.asarray(energy_mev, dtype=float) / mass
    squared = gamma**2 - 1  # (beta gamma)^2
    beta_squared = squared / gamma**2
    ratio = _ELECTRON_MASS_MEV / mass
    largest = 2 * _ELECTRON_MASS_MEV * squared / (1 + 2 * gamma * ratio + ratio**2)
    excitation = _EXCITATION_EV * 1e-6
    # Density effect: parameters of Sternheimer et al. for liquid argon.
    x = np.log10(np.sqrt(squared))
    asymptote = 2 * np.log(10) * x - 5.2146
    correction = np.where(x < 0.2, 0.0, np.where(x < 3.0, asymptote + 0.19559 * np.abs(3.0 - x) ** 3, asymptote))
    logarithm = 0.5 * np.log(2 * _ELECTRON_MASS_MEV * squared * largest / excitation**2)
    factor = 0.307075 * _CHARGE_OVER_MASS * DENSITY_G_PER_CM3 / beta_squared
    return factor * (logarithm - beta_squared - correction / 2)


@functools.cache
def _range_table(particle):
    """Kinetic energies in MeV and ranges in cm."""
    energy = np.concatenate([[0.0], np.geomspace(1.0, 20_000.0, 4000)])
    inverse = 1 / mean_loss(particle, energy[1:])
    length = np.empty_like(energy)
    # Bethe's law ends near 1 MeV; the range below is short, and half of what the loss there gives is close enough.
    length[:2] = 0.0, 0.5 * inverse[0]
    length[2:] = length[1] + np.cumsum(np.diff(energy[1:]) * (inverse[1:] + inverse[:-1]) / 2)
    return energy, length


def track_range(particle, energy_mev):
    """Range in liquid argon of a particle that loses its energy steadily.

    Parameters
    ----------
    particle : {"muon", "pion", "proton"}
    energy_mev : array-like
        Kinetic energy, up to 20 GeV.

    Returns
    -------
    numpy.ndarray
        In cm.

    Examples
    --------
    >>> from course_lib.simulators import neutrino_views
    >>> [round(float(neutrino_views.track_range(particle, 200.0))) for particle in ("muon", "proton")]
    [76, 26]
    """
    return np.interp(energy_mev, *_range_table(particle))


def shower_maximum(energy_mev, *, photon=False):
    """Depth of the maximum of a shower, in radiation lengths, at least 0.2.

    Parameters
    ----------
    energy_mev : array-like
    photon : bool
        Showers of photons reach it one radiation length later, counted from where the photon enters.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from course_lib.simulators import neutrino_views
    >>> float(neutrino_views.shower_maximum(1000.0).round(2))
    2.92
    """
    depth = np.log(np.asarray(energy_mev, dtype=float) / CRITICAL_ENERGY_MEV) + (0.5 if photon else -0.5)
    return np.maximum(depth, 0.2)


def _direction(polar, azimuth):
    """Unit vectors (n, 3); the third component lies along the beam."""
    sine = np.sin(polar)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), np.cos(polar)], axis=-1)


def _frame(direction):
    """Two unit vectors perpendicular to each of (n, 3) unit vectors."""
    axis = np.eye(3)[np.abs(direction).argmin(1)]
    first = np.cross(direction, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(direction, first)


def _around(rng, direction, spread):
    """Directions at a Gaussian angle in each of two planes from the given ones."""
    first, second = _frame(direction)
    angles = np.clip(spread * rng.standard_normal((2, len(direction), 1)), -1.5, 1.5)
    moved = direction + angles[0] * first + angles[1] * second
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def decay_neutral_pions(energies_mev, directions, *, seed=None):
    """Photons from decays of neutral pions.

    Parameters
    ----------
    energies_mev : array-like, shape (n,)
        Total energies, at least the mass of 134.98 MeV.
    directions : array-like, shape (n, 3)
        Unit vectors.
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    photon_energies_mev : numpy.ndarray, float64, shape (n, 2)
    photon_directions : numpy.ndarray, float64, shape (n, 2, 3)

    Raises
    ------
    ValueError
        For energies below the mass.

    Examples
    --------
    >>> from course_lib.simulators import neutrino_views
    >>> energies_mev, directions = neutrino_views.decay_neutral_pions([500.0], [[0.0, 0.0, 1.0]], seed=0)
    >>> float(energies_mev.sum().round(6))
    500.0
    """
    energy = np.asarray(energies_mev, dtype=float)
    direction = np.asarray(directions, dtype=float)
    if len(energy) and energy.min() < NEUTRAL_PION_MASS_MEV:
        raise ValueError(f"energies_mev must be at least {NEUTRAL_PION_MASS_MEV}, got {energy.min()}")
    rng = np.random.default_rng(seed)
    cosine = rng.uniform(-1, 1, len(energy))
    azimuth = rng.uniform(0, 2 * np.pi, len(energy))
    momentum = np.sqrt(energy**2 - NEUTRAL_PION_MASS_MEV**2)
    across = NEUTRAL_PION_MASS_MEV / 2 * np.sqrt(1 - cosine**2)
    first, second = _frame(direction)
    sideways = (across * np.cos(azimuth))[:, None] * first + (across * np.sin(azimuth))[:, None] * second
    # In the rest frame each photon has half the mass; the boost mixes energy and momentum along the flight.
    photons = np.empty((len(energy), 2))
    vectors = np.empty((len(energy), 2, 3))
    for number, sign in enumerate((1, -1)):
        photons[:, number] = (energy + sign * momentum * cosine) / 2
        along = (momentum + sign * energy * cosine) / 2
        vectors[:, number] = along[:, None] * direction + sign * sideways
    return photons, vectors / photons[..., None]


def _interactions(rng, labels, energies_mev):
    """Particles of each event: dictionary of name -> (event, kinetic energy in MeV, direction), and lepton energies."""
    number = len(labels)
    charged = labels < 2
    inelasticity = np.where(charged, rng.beta(1.2, 2.5, number), rng.beta(2.5, 2.0, number))
    inelasticity = np.maximum(inelasticity, 0.08)
    lepton = np.where(charged, (1 - inelasticity) * energies_mev, 0.0)
    lepton = np.where(charged, np.maximum(lepton, 200.0), 0.0)
    recoil = energies_mev - np.where(charged, lepton, (1 - inelasticity) * energies_mev)
    # Lepton and recoil balance across the beam.
    transverse = rng.exponential(250.0, number)
    azimuth = rng.uniform(0, 2 * np.pi, number)
    along = np.where(charged, lepton, (1 - inelasticity) * energies_mev)
    lepton_direction = _direction(np.arcsin(np.minimum(transverse / along, 0.8)), azimuth)
    recoil_direction = _direction(np.arcsin(np.minimum(transverse / (recoil + 500.0), 0.8)), azimuth + np.pi)

    found = {name: [] for name in ("muon", "pion", "proton", "electron", "photon")}
    events = np.arange(number)
    for label, name in enumerate(("muon", "electron")):
        chosen = events[labels == label]
        kinetic = lepton[chosen] - (MASSES_MEV["muon"] if name == "muon" else 0.0)
        found[name].append((chosen, kinetic, lepton_direction[chosen]))
    left = recoil.copy()
    for likely in (1.0, 0.4):
        chosen = events[(rng.uniform(size=number) < likely) & (left > 60.0)]
        kinetic = np.minimum(25.0 + rng.exponential(90.0, len(chosen)), 0.5 * left[chosen])
        left[chosen] -= kinetic
        found["proton"].append((chosen, kinetic, _around(rng, recoil_direction[chosen], 0.6)))
    # One pion, or two if there is energy for them; the rest stays in the nucleus or leaves with neutrons.
    two = (left > 800.0) & (rng.uniform(size=number) < 0.6)
    share = np.where(two, rng.uniform(0.3, 0.7, number), 1.0)
    neutral_share = np.where(charged, 0.2, 0.5)
    for chosen, part in ((events[left > 300.0], share), (events[two], 1 - share)):
        total = part[chosen] * left[chosen]
        direction = _around(rng, recoil_direction[chosen], 0.35)
        neutral = rng.uniform(size=len(chosen)) < neutral_share[chosen]
        kinetic = np.maximum(total - MASSES_MEV["pion"], 20.0)
        found["pion"].append((chosen[~neutral], kinetic[~neutral], direction[~neutral]))
        total = np.maximum(total, NEUTRAL_PION_MASS_MEV)
        photons, directions = decay_neutral_pions(total[neutral], direction[neutral], seed=rng)
        for photon in (0, 1):
            found["photon"].append((chosen[neutral], photons[:, photon], directions[:, photon]))
    particles = {
        name: tuple(np.concatenate(column) for column in zip(*lists, strict=True)) for name, lists in found.items()
    }
    return particles, lepton


def _track_points(rng, particle, events, energies_mev, directions, *, length_cm, step_cm=_STEP_CM):
    """Events, places (m, 3) relative to the vertex, and energies of the points of tracks."""
    if not len(events):
        return np.empty(0, np.int64), np.empty((0, 3)), np.empty(0)
    table = _range_table(particle)
    full = np.interp(energies_mev, *table)
    last = full
    if particle == "pion":
        last = np.minimum(full, rng.exponential(PION_INTERACTION_LENGTH_CM, len(full)))
    n_steps = int(np.ceil(min(last.max(), length_cm) / step_cm))
    border = np.minimum(step_cm * np.arange(n_steps + 1), last[:, None])
    energy = np.interp(full[:, None] - border, table[1], table[0])
    lost = energy[:, :-1] - energy[:, 1:]
    variance = _LOSS_SPREAD**2 / step_cm
    lost = lost * rng.gamma(1 / variance, variance, lost.shape)

    mass = MASSES_MEV[particle]
    kinetic = np.maximum(energy[:, :-1], 1.0)
    momentum_beta = kinetic * (kinetic + 2 * mass) / (kinetic + mass)
    # Without Highland's logarithm: with it, many thin steps would scatter less than one thick one.
    spread = 13.6 / momentum_beta * np.sqrt(step_cm / RADIATION_LENGTH_CM)
    angles = np.cumsum(np.minimum(spread, 0.3) * rng.standard_normal((2, *spread.shape)), axis=2)
    first, second = _frame(directions)
    heading = directions[:, None] + angles[0, ..., None] * first[:, None] + angles[1, ..., None] * second[:, None]
    heading /= np.linalg.norm(heading, axis=2, keepdims=True)
    step = np.diff(border, axis=1)[..., None] * heading
    place = np.cumsum(step, axis=1) - step / 2
    used = lost > 0
    return np.broadcast_to(events[:, None], used.shape)[used], place[used], lost[used]


def _shower_points(rng, events, energies_mev, directions, *, photon, point_mev=_SHOWER_POINT_MEV):
    """Events, places (m, 3) relative to the vertex, and energies of the points of showers."""
    if not len(events):
        return np.empty(0, np.int64), np.empty((0, 3)), np.empty(0)
    start = np.zeros(len(events))
    if photon:
        start = rng.exponential(9 / 7 * RADIATION_LENGTH_CM, len(events))
    # The thin beginning: one particle of an electron, two of a photon.
    n_stub = 14
    stub = (2 if photon else 1) * 2.1 * _STUB_CM * np.ones(len(events))
    stub = np.minimum(stub, 0.5 * energies_mev)
    depth = start[:, None] + (np.arange(n_stub) + 0.5) * _STUB_CM / n_stub
    stub_place = depth[..., None] * directions[:, None]
    stub_energy = np.broadcast_to(stub[:, None] / n_stub, depth.shape)

    rest = energies_mev - stub
    n_points = np.maximum(np.ceil(rest / point_mev).astype(np.int64), 1)
    owner = np.repeat(np.arange(len(events)), n_points)
    # Counted from where the photon has converted, both kinds of showers develop alike.
    shape = 1 + SHOWER_SLOPE * shower_maximum(energies_mev)
    scaled = rng.gamma(shape[owner]) / shape[owner]  # mean 1
    along = start[owner] + scaled * shape[owner] / SHOWER_SLOPE * RADIATION_LENGTH_CM
    # Narrow at first: the radius grows with depth. r^2 / (r^2 + R^2) of the energy lies within r.
    radius = MOLIERE_RADIUS_CM / 3 * (0.4 + 0.6 * scaled)
    share = _LARGEST_LATERAL_SHARE * rng.uniform(size=len(owner))
    lateral = radius * np.sqrt(share / (1 - share))
    azimuth = rng.uniform(0, 2 * np.pi, len(owner))
    first, second = _frame(directions)
    place = along[:, None] * directions[owner]
    place += (lateral * np.cos(azimuth))[:, None] * first[owner] + (lateral * np.sin(azimuth))[:, None] * second[owner]
    return (
        np.concatenate([np.repeat(events, n_stub), events[owner]]),
        np.concatenate([stub_place.reshape(-1, 3), place]),
        np.concatenate([stub_energy.ravel(), (rest / n_points)[owner]]),
    )


def _require_views(views):
    if not isinstance(views, str) or views not in VIEWS:
        raise ValueError(f"views must be one of {', '.join(map(repr, VIEWS))}, got {views!r}")
    return VIEWS[views]


def project(events, places_cm, energies_mev, *, n_events, views="two_planes", shape=(24, 40), pixel_cm=4.0):
    """Energy in the pixels of each view.

    Parameters
    ----------
    events : array-like of int, shape (m,)
        Which event each point belongs to.
    places_cm : array-like, shape (m, 3)
        Along the drift, upwards, along the beam; the origin is the middle of the left edge of each view.
    energies_mev : array-like, shape (m,)
    n_events : int
    views : {"two_planes", "three_planes", "crossed"}
    shape : (int, int)
        Rows and columns.
    pixel_cm : float

    Returns
    -------
    numpy.ndarray, float32, shape (n_events, rows, columns, n_views)
        In MeV; what lies outside is lost.

    Raises
    ------
    ValueError
        For other views.

    Examples
    --------
    >>> from course_lib.simulators import neutrino_views
    >>> neutrino_views.project([0], [[0.0, 0.0, 50.0]], [2.0], n_events=1).sum((0, 1, 2))
    array([2., 2.], dtype=float32)
    """
    directions = _require_views(views)
    rows, columns = shape
    events = np.asarray(events)
    places = np.asarray(places_cm, dtype=float) / pixel_cm
    energies_mev = np.asarray(energies_mev, dtype=float)
    seen_by = np.empty((n_events, rows, columns, len(directions)), np.float32)
    for view, (downwards, sideways) in enumerate(directions):
        row = np.floor(places @ downwards + rows / 2).astype(np.int64)
        column = np.floor(places @ sideways).astype(np.int64)
        seen = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        index = (events[seen] * rows + row[seen]) * columns + column[seen]
        filled = np.bincount(index, energies_mev[seen], minlength=n_events * rows * columns)
        seen_by[..., view] = filled.reshape(n_events, rows, columns)
    return seen_by


def sample(
    n_events, *, views="two_planes", shape=(24, 40), pixel_cm=4.0, energy_range_gev=(1.0, 3.0), noise_mev=0.5, seed=None
):
    """Draw interactions, a third of each kind.

    Parameters
    ----------
    n_events : int
    views : {"two_planes", "three_planes", "crossed"}
        Planes of wires at 30 degrees, or at 0 and 60 degrees; or crossed strips. See `VIEWS`.
    shape : (int, int)
        Rows (along the drift) and columns (across the wires).
    pixel_cm : float
        Edge of a pixel.
    energy_range_gev : (float, float)
        Neutrino energies are uniform in it; from 0.5 to 10 GeV.
    noise_mev : float
        Standard deviation of each pixel; 0 for none.
    seed : int, optional

    Returns
    -------
    images : numpy.ndarray, float32, shape (n_events, rows, columns, n_views)
        Energy in MeV. The neutrino comes from the left; the interaction lies near the left edge, on another place in
        each event.
    labels : numpy.ndarray, int64, shape (n_events,)
        Index into `KINDS`, in random order.
    energies_gev : numpy.ndarray, float64, shape (n_events,)
        Of the neutrinos.
    lepton_energies_gev : numpy.ndarray, float64, shape (n_events,)
        Of the muon or electron; 0 for neutral currents.
    pixel_classes : numpy.ndarray, uint8, shape (n_events, rows, columns, n_views)
        Index into `PIXEL_CLASSES`: where most of the energy of a pixel comes from, if it is at least 1 MeV.

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import neutrino_views
    >>> images, labels, *_ = neutrino_views.sample(9, views="three_planes", seed=0)
    >>> images.shape, sorted(labels.tolist())
    ((9, 24, 40, 3), [0, 0, 0, 1, 1, 1, 2, 2, 2])
    """
    n_events = require_count("n_events", n_events)
    n_views = len(_require_views(views))
    try:
        rows, columns = shape
    except (TypeError, ValueError):
        raise ValueError(f"shape must be a pair (rows, columns), got {shape!r}") from None
    shape = require_count("shape", rows, minimum=4), require_count("shape", columns, minimum=4)
    pixel_cm = require_positive("pixel_cm", pixel_cm)
    lowest, highest = require_range("energy_range_gev", energy_range_gev)
    if lowest < 0.5 or highest > 10.0:
        raise ValueError(f"energy_range_gev must lie between 0.5 and 10, got {energy_range_gev!r}")
    noise_mev = require_positive("noise_mev", noise_mev, zero_allowed=True)

    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_events) % len(KINDS)).astype(np.int64)
    energies_gev = rng.uniform(lowest, highest, n_events)
    lepton_gev = np.empty(n_events)
    images = np.empty((n_events, *shape, n_views), np.float32)
    classes = np.empty(images.shape, np.uint8)
    length_cm = 1.5 * pixel_cm * np.hypot(*shape)
    step_cm, point_mev = min(_STEP_CM, pixel_cm / 2), min(_SHOWER_POINT_MEV, pixel_cm)
    for start in range(0, n_events, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, n_events))
        number = chunk.stop - start
        particles, lepton_mev = _interactions(rng, labels[chunk], 1000 * energies_gev[chunk])
        lepton_gev[chunk] = lepton_mev / 1000
        # Around the middle of the rows; an eighth to a quarter of the columns from the left edge.
        vertex = np.zeros((number, 3))
        vertex[:, 0] = pixel_cm * shape[0] * rng.uniform(-0.2, 0.2, number)
        if views == "crossed":  # else the height would only move the columns
            vertex[:, 1] = pixel_cm * shape[0] * rng.uniform(-0.2, 0.2, number)
        vertex[:, 2] = pixel_cm * shape[1] * rng.uniform(0.12, 0.25, number)
        seen = []
        for names in (("muon", "pion", "proton"), ("electron", "photon")):
            points = [
                _shower_points(rng, *particles[name], photon=name == "photon", point_mev=point_mev)
                if name in ("electron", "photon")
                else _track_points(rng, name, *particles[name], length_cm=length_cm, step_cm=step_cm)
                for name in names
            ]
            event, place, energy = (np.concatenate(column) for column in zip(*points, strict=True))
            options = {"n_events": number, "views": views, "shape": shape, "pixel_cm": pixel_cm}
            seen.append(project(event, place + vertex[event], energy, **options))
        track, shower = seen
        images[chunk] = track + shower
        classes[chunk] = np.where(images[chunk] < CLASS_THRESHOLD_MEV, 0, np.where(track > shower, 1, 2))
        if noise_mev:
            images[chunk] += np.float32(noise_mev) * rng.standard_normal(images[chunk].shape, dtype=np.float32)
    return images, labels, energies_gev, lepton_gev, classes
