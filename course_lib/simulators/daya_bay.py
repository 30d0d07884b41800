r"""Events in a reactor-antineutrino detector: 8 rings of 24 photomultipliers around liquid scintillator.

Antineutrinos of energy :math:`E_\nu` are caught by :math:`\bar\nu_e p\to e^+n`. The positron gives the prompt event,
with the visible energy :math:`E_\nu-0.782` MeV; some 30 microseconds later gadolinium (8 MeV in gamma rays) or hydrogen
(2.2 MeV) captures the neutron: the delayed event. Muons, flashing photomultipliers and radioactivity of the walls are
what hides them. The expected charge of photomultiplier i is

.. math:: \mu_i = Y E\,\frac{\cos\theta_i}{d_i^2+a^2}\,e^{-d_i/\lambda}\ ,

normalised to 168 photoelectrons per MeV in the centre; the number is Poissonian, each photoelectron is smeared by 35 %.

References
----------
F. P. An et al. (Daya Bay), Nucl. Instrum. Meth. A 685 (2012) 78: geometry, light yield. E. Racah et al., Revealing
fundamental physics from the Daya Bay neutrino experiment using deep neural networks, arXiv:1601.07621 (2016): the five
classes and the maps. Reactor spectra: P. Huber, Phys. Rev. C 84 (2011) 024617; T. Mueller et al., Phys. Rev. C 83
(2011) 054615 for uranium 238. Cross section: P. Vogel, J. Beacom, Phys. Rev. D 60 (1999) 053003, zeroth order.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive

#: Order of the labels.
CLASS_NAMES = ("prompt", "delayed", "muon", "flasher", "other")

N_RINGS, N_COLUMNS = 8, 24

#: Cylinder of the photomultipliers, distance of the rings, radius of a photocathode.
TUBE_RADIUS_M, RING_DISTANCE_M, CATHODE_RADIUS_M = 2.4, 0.5, 0.10

#: Half the height and the radius of the target with gadolinium, and of all scintillator.
TARGET_SIZE_M, SCINTILLATOR_SIZE_M = 1.55, 2.0

PHOTOELECTRONS_PER_MEV, ATTENUATION_LENGTH_M, PHOTOELECTRON_SPREAD = 168.0, 15.0, 0.35

#: Mean loss of a minimum-ionising muon: 2 MeV cm^2/g in scintillator of 0.86 g/cm^3.
MUON_LOSS_MEV_PER_M = 172.0

#: Neutron minus proton mass, and electron mass.
MASS_DIFFERENCE_MEV, ELECTRON_MASS_MEV = 1.2933, 0.5110

#: Antineutrinos of one fission per MeV are exp(polynomial in MeV): coefficients from the constant term on.
FISSION_SPECTRA = {
    "U235": (4.367, -4.577, 2.100, -0.5294, 0.06186, -0.002777),
    "U238": (0.4833, 0.1927, -0.1283, -0.006762, 0.002233, -0.0001536),
    "Pu239": (4.757, -5.392, 2.563, -0.6596, 0.07820, -0.003536),
    "Pu241": (2.990, -2.882, 1.278, -0.3343, 0.03905, -0.001754),
}

#: Shares of the fissions in the reactors, averaged over a few years.
FISSION_FRACTIONS = {"U235": 0.561, "U238": 0.076, "Pu239": 0.307, "Pu241": 0.056}

_CHUNK = 256


def cross_section_cm2(energy_mev):
    r"""Cross section of inverse beta decay, :math:`9.52\cdot10^{-44}\,\mathrm{cm}^2\,E_e p_e/\mathrm{MeV}^2`.

    Parameters
    ----------
    energy_mev : array-like
        Energy of the antineutrino.

    Returns
    -------
    numpy.ndarray
        In cm^2; zero below the threshold of 1.804 MeV.

    Examples
    --------
    >>> from course_lib.simulators import daya_bay
    >>> daya_bay.cross_section_cm2([1.5, 4.0]) / 1e-43
    array([0.        , 6.849...])
    """
    positron = np.asarray(energy_mev, dtype=float) - MASS_DIFFERENCE_MEV
    momentum = np.sqrt(np.maximum(positron**2 - ELECTRON_MASS_MEV**2, 0.0))
    return 9.52e-44 * np.maximum(positron, 0.0) * momentum


def fission_spectrum(energy_mev, isotope):
    """Antineutrinos of one fission.

    Parameters
    ----------
    energy_mev : array-like
        Between 1.8 and 8 MeV, where the parametrisation holds.
    isotope : {"U235", "U238", "Pu239", "Pu241"}

    Returns
    -------
    numpy.ndarray
        Per MeV and fission.

    Raises
    ------
    ValueError
        For another isotope.

    Examples
    --------
    >>> from course_lib.simulators import daya_bay
    >>> round(float(daya_bay.fission_spectrum(4.0, "U235")), 3)
    0.292
    """
    if isotope not in FISSION_SPECTRA:
        raise ValueError(f"isotope must be one of {', '.join(FISSION_SPECTRA)}, got {isotope!r}")
    return np.exp(np.polynomial.polynomial.polyval(np.asarray(energy_mev, dtype=float), FISSION_SPECTRA[isotope]))


def positron_energies(n_events, rng):
    """Draw visible energies of prompt events: reactor spectrum times cross section, less 0.782 MeV.

    Parameters
    ----------
    n_events : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, shape (n_events,)
        In MeV, from 1.02 (twice the electron mass) to 8.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import daya_bay
    >>> round(float(daya_bay.positron_energies(20_000, np.random.default_rng(0)).mean()), 1)
    3.5
    """
    edges = np.linspace(MASS_DIFFERENCE_MEV + ELECTRON_MASS_MEV, 8.8, 1001)
    middle = (edges[1:] + edges[:-1]) / 2
    spectrum = sum(share * fission_spectrum(middle, isotope) for isotope, share in FISSION_FRACTIONS.items())
    cumulative = np.concatenate([[0.0], np.cumsum(spectrum * cross_section_cm2(middle))])
    energies = np.interp(rng.uniform(size=n_events) * cumulative[-1], cumulative, edges)
    return energies - MASS_DIFFERENCE_MEV + ELECTRON_MASS_MEV


def tube_positions():
    """Places of the photomultipliers, which look at the axis.

    Returns
    -------
    numpy.ndarray, shape (8, 24, 3)
        In m from the centre of the detector; rings from the lowest to the highest, columns counter-clockwise.

    Examples
    --------
    >>> from course_lib.simulators import daya_bay
    >>> daya_bay.tube_positions()[0, 0]
    array([ 2.4 ,  0.  , -1.75])
    """
    heights = RING_DISTANCE_M * (np.arange(N_RINGS) - (N_RINGS - 1) / 2)
    angles = 2 * np.pi * np.arange(N_COLUMNS) / N_COLUMNS
    places = np.empty((N_RINGS, N_COLUMNS, 3))
    places[..., 0], places[..., 1] = TUBE_RADIUS_M * np.cos(angles), TUBE_RADIUS_M * np.sin(angles)
    places[..., 2] = heights[:, None]
    return places


def _light(points_m):
    """Share of the light that reaches each tube, (..., 192), not normalised."""
    tubes = tube_positions().reshape(-1, 3)
    # One product instead of differences: d^2 = x^2 + t^2 - 2 x t.
    squared = (points_m**2).sum(-1)[..., None] + (tubes**2).sum(-1) - 2 * points_m @ tubes.T
    distance = np.sqrt(squared)
    inward = TUBE_RADIUS_M - points_m[..., :2] @ tubes[:, :2].T / TUBE_RADIUS_M
    cosine = inward / distance
    return cosine / (squared + CATHODE_RADIUS_M**2) * np.exp(-distance / ATTENUATION_LENGTH_M)


def expected_charges(positions_m, energies_mev):
    """Mean number of photoelectrons in each tube for deposits at points.

    Parameters
    ----------
    positions_m : array-like, shape (..., 3)
        From the centre of the detector, within the scintillator.
    energies_mev : array-like, shape (...)

    Returns
    -------
    numpy.ndarray, shape (..., 8, 24)

    Examples
    --------
    >>> from course_lib.simulators import daya_bay
    >>> charges = daya_bay.expected_charges([0.0, 0.0, 0.0], 1.0)
    >>> charges.shape, round(float(charges.sum()), 1)
    ((8, 24), 168.0)
    """
    positions_m, energies_mev = np.asarray(positions_m, dtype=float), np.asarray(energies_mev, dtype=float)
    yield_per_mev = PHOTOELECTRONS_PER_MEV / _light(np.zeros(3)).sum()
    charges = yield_per_mev * energies_mev[..., None] * _light(positions_m)
    return charges.reshape(*charges.shape[:-1], N_RINGS, N_COLUMNS)


def _directions(n, rng):
    """Isotropic unit vectors, (n, 3)."""
    vectors = rng.standard_normal((n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _inside_cylinder(n, size_m, rng):
    """Uniform places in a cylinder whose radius is half its height, (n, 3)."""
    radius, angle = size_m * np.sqrt(rng.uniform(size=n)), rng.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), rng.uniform(-size_m, size_m, n)], axis=1)


def muon_tracks(n_tracks, rng, *, exponent=2.0):
    r"""Straight tracks through the scintillator with the zenith law :math:`dI/d\Omega\propto\cos^n\theta`.

    Parameters
    ----------
    n_tracks : int
    rng : numpy.random.Generator
    exponent : float
        n: 2 for cosmic muons at the surface; 0 is isotropic over the upper half of the sky.

    Returns
    -------
    entries_m, exits_m : numpy.ndarray, shape (n_tracks, 3)
        Where the tracks cross the surface of the scintillator, above and below.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import daya_bay
    >>> entries_m, exits_m = daya_bay.muon_tracks(100, np.random.default_rng(0))
    >>> bool((entries_m[:, 2] > exits_m[:, 2]).all())
    True
    """
    size = SCINTILLATOR_SIZE_M
    entries, exits = np.empty((n_tracks, 3)), np.empty((n_tracks, 3))
    done = 0
    while done < n_tracks:
        n = 2 * (n_tracks - done) + 16
        cosine = rng.uniform(size=n) ** (1 / (exponent + 1))
        sine, azimuth = np.sqrt(1 - cosine**2), rng.uniform(0, 2 * np.pi, n)
        direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), -cosine], axis=1)
        # Uniform on a disk that covers the cylinder and faces the muon: the flux law, whatever the shape.
        first = np.stack([np.sin(azimuth), -np.cos(azimuth), np.zeros(n)], axis=1)
        second = np.cross(direction, first)
        offset, angle = np.sqrt(2) * size * np.sqrt(rng.uniform(size=n)), rng.uniform(0, 2 * np.pi, n)
        point = (offset * np.cos(angle))[:, None] * first + (offset * np.sin(angle))[:, None] * second
        # Path lengths at which the track is within the mantle, and between the lids.
        across = np.maximum(sine**2, 1e-12)
        middle = -(point[:, :2] * direction[:, :2]).sum(1) / across
        root = middle**2 + (size**2 - (point[:, :2] ** 2).sum(1)) / across
        half = np.sqrt(np.maximum(root, 0.0))
        lid = np.stack([(size - point[:, 2]) / direction[:, 2], (-size - point[:, 2]) / direction[:, 2]])
        start, stop = np.maximum(middle - half, lid[0]), np.minimum(middle + half, lid[1])
        hits = np.flatnonzero((root > 0) & (stop > start))[: n_tracks - done]
        part = slice(done, done + len(hits))
        entries[part] = point[hits] + start[hits, None] * direction[hits]
        exits[part] = point[hits] + stop[hits, None] * direction[hits]
        done += len(hits)
    return entries, exits


def _deposits(label, n, rng):
    """Points (n, n_points, 3) with energies (n, n_points), and the place of each event (n, 3)."""
    if label == 0:
        place = _inside_cylinder(n, TARGET_SIZE_M, rng)
        return place[:, None], positron_energies(n, rng)[:, None], place
    if label == 1:
        # Four gamma rays share the energy and travel some 20 cm; on hydrogen there is a single one.
        place = _inside_cylinder(n, TARGET_SIZE_M, rng)
        on_gadolinium = rng.uniform(size=n) < 0.87
        shares = rng.dirichlet(np.full(4, 2.0), n)
        shares[~on_gadolinium] = [1.0, 0.0, 0.0, 0.0]
        energy = np.where(on_gadolinium, 8.05, 2.22)
        steps = rng.exponential(0.2, (n, 4, 1)) * _directions(4 * n, rng).reshape(n, 4, 3)
        return place[:, None] + steps, shares * energy[:, None], place
    if label == 2:
        entry, leave = muon_tracks(n, rng)
        along = (np.arange(20) + 0.5)[None, :, None] / 20
        points = entry[:, None] + along * (leave - entry)[:, None]
        # Losses fluctuate, more upwards than downwards.
        loss = MUON_LOSS_MEV_PER_M * np.linalg.norm(leave - entry, axis=1) * rng.gamma(60, 1 / 60, n)
        return points, np.repeat(loss[:, None] / 20, 20, axis=1), entry
    # Radioactivity of rock and tubes: gamma rays that get into the scintillator from outside.
    radius = SCINTILLATOR_SIZE_M - np.minimum(rng.exponential(0.25, n), SCINTILLATOR_SIZE_M)
    angle, height = rng.uniform(0, 2 * np.pi, n), rng.uniform(-SCINTILLATOR_SIZE_M, SCINTILLATOR_SIZE_M, n)
    place = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    lines_mev = np.array([0.8, 1.46, 1.76, 2.61])
    energy = rng.choice(lines_mev, n, p=[0.3, 0.4, 0.1, 0.2]) * rng.uniform(0.85, 1.0, n)
    return place[:, None], energy[:, None], place


def _flashers(n, rng):
    """Mean charges (n, 8, 24) of tubes that spark, and where they sit: light falls on the tubes opposite."""
    tubes = tube_positions()
    ring, column = rng.integers(N_RINGS, size=n), rng.integers(N_COLUMNS, size=n)
    place = tubes[ring, column]
    total = rng.uniform(200.0, 2000.0, n)
    across = np.linalg.norm(tubes[None] - place[:, None, None], axis=-1)
    opposite = np.exp(-0.5 * ((across - 2 * TUBE_RADIUS_M) / 0.5) ** 2)
    opposite /= opposite.sum((1, 2), keepdims=True)
    own = rng.uniform(0.3, 0.6, n)
    means = (total * (1 - own))[:, None, None] * (0.8 * opposite + 0.2 / (N_RINGS * N_COLUMNS))
    means[np.arange(n), ring, column] += own * total
    return means, total / PHOTOELECTRONS_PER_MEV, place


def sample(n_events, *, classes=CLASS_NAMES, dark_photoelectrons=0.01, seed=None):
    """Draw events of the classes in equal numbers.

    Parameters
    ----------
    n_events : int
    classes : sequence of str
        Some of `CLASS_NAMES`.
    dark_photoelectrons : float
        Mean number of photoelectrons a tube and event that no light has made.
    seed : int, optional

    Returns
    -------
    charges : numpy.ndarray, float32, shape (n_events, 8, 24)
        Photoelectrons, rings from the lowest to the highest.
    labels : numpy.ndarray, int64, shape (n_events,)
        Index into `CLASS_NAMES`, in random order.
    energies_mev : numpy.ndarray, float64, shape (n_events,)
        Energy deposited; for flashers what their charge would be in the centre.
    positions_m : numpy.ndarray, float64, shape (n_events, 3)
        Vertex; of muons where they enter, of flashers the tube.

    Raises
    ------
    ValueError
        For bad numbers or an unknown class.

    Examples
    --------
    >>> from course_lib.simulators import daya_bay
    >>> charges, labels, energies_mev, positions_m = daya_bay.sample(50, seed=0)
    >>> charges.shape, positions_m.shape
    ((50, 8, 24), (50, 3))
    """
    n_events = require_count("n_events", n_events)
    dark_photoelectrons = require_positive("dark_photoelectrons", dark_photoelectrons, zero_allowed=True)
    unknown = [name for name in classes if name not in CLASS_NAMES]
    if unknown or isinstance(classes, str) or len(classes) == 0:
        raise ValueError(f"classes must be some of {CLASS_NAMES}, got {classes!r}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(
        np.array([CLASS_NAMES.index(name) for name in classes])[np.arange(n_events) % len(classes)]
    )
    charges = np.empty((n_events, N_RINGS, N_COLUMNS), np.float32)
    energies_mev, positions_m = np.empty(n_events), np.empty((n_events, 3))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        for start in range(0, len(members), _CHUNK):
            chosen = members[start : start + _CHUNK]
            if CLASS_NAMES[label] == "flasher":
                means, energies_mev[chosen], positions_m[chosen] = _flashers(len(chosen), rng)
            else:
                points, energy, positions_m[chosen] = _deposits(label, len(chosen), rng)
                points = _kept_inside(points)
                means = expected_charges(points, energy).sum(axis=1)
                energies_mev[chosen] = energy.sum(axis=1)
            electrons = rng.poisson(means + dark_photoelectrons)
            smeared = electrons + PHOTOELECTRON_SPREAD * np.sqrt(electrons) * rng.standard_normal(electrons.shape)
            charges[chosen] = np.maximum(smeared, 0.0)
    return charges, labels, energies_mev, positions_m


def _kept_inside(points_m):
    """Gamma rays that would end outside the scintillator end at its surface."""
    radius = np.hypot(points_m[..., 0], points_m[..., 1])
    shrink = np.minimum(1.0, SCINTILLATOR_SIZE_M / np.maximum(radius, 1e-9))
    inside = points_m.copy()
    inside[..., :2] *= shrink[..., None]
    inside[..., 2] = np.clip(points_m[..., 2], -SCINTILLATOR_SIZE_M, SCINTILLATOR_SIZE_M)
    return inside
