r"""Collisions with an exotic Higgs decay, and top pairs that look alike.

Signal: :math:`gg \to H^0 \to W^\mp H^\pm \to W^\mp W^\pm h^0 \to W^\mp W^\pm b\bar b` with masses of 425, 325 and
125 GeV. Background: :math:`gg \to t\bar t \to W^\mp W^\pm b\bar b`. One W decays into a charged lepton and a
neutrino, the other into two quarks. Both end in the same particles: a lepton, missing momentum, four jets, two of
them with b quarks; only the resonances in between differ.

All decays are two-body decays with exact kinematics, isotropic in the rest frame of the parent. The detector smears
jets (:math:`\sigma_E/E = a/\sqrt{E} \oplus b`) and missing momentum, tags b jets with some efficiency and other jets
by mistake, and accepts transverse momenta above 20 GeV within :math:`|\eta| < 2.5`.

References
----------
P. Baldi, P. Sadowski, D. Whiteson, Nature Communications 5 (2014) 4308: process, masses, features. Masses of W and top:
Particle Data Group. Two-body decays: its review of kinematics. No matrix elements, parton showers or spins here.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive

W_MASS_GEV, W_WIDTH_GEV, TOP_MASS_GEV, BOTTOM_MASS_GEV = 80.4, 2.1, 172.5, 4.7
HEAVY_HIGGS_MASS_GEV, CHARGED_HIGGS_MASS_GEV, LIGHT_HIGGS_MASS_GEV = 425.0, 325.0, 125.0

#: Acceptance: smallest transverse momentum and largest pseudorapidity of lepton and jets.
SMALLEST_MOMENTUM_GEV, LARGEST_PSEUDORAPIDITY = 20.0, 2.5

LOW_LEVEL_NAMES = (
    "lepton_pt",
    "lepton_eta",
    "lepton_phi",
    "missing_energy",
    "missing_energy_phi",
    *(f"jet{number}_{quantity}" for number in (1, 2, 3, 4) for quantity in ("pt", "eta", "phi", "b_tag")),
)
HIGH_LEVEL_NAMES = ("m_jj", "m_jjj", "m_lv", "m_jlv", "m_bb", "m_wbb", "m_wwbb")
FEATURE_NAMES = LOW_LEVEL_NAMES + HIGH_LEVEL_NAMES

# Light pair and the two b candidates, for all six ways to choose two of four jets.
_PAIRINGS = np.array([[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2], [1, 2, 0, 3], [1, 3, 0, 2], [2, 3, 0, 1]])

# Events of this many fit into the cache of a core.
_CHUNK = 4096


def decay(parents, first_mass, second_mass, rng):
    """Isotropic decays of particles into two.

    Parameters
    ----------
    parents : numpy.ndarray, shape (4, n)
        Rows E, x, y, z in GeV.
    first_mass, second_mass : float or numpy.ndarray, shape (n,)
        In GeV; together at most the mass of the parent.
    rng : numpy.random.Generator

    Returns
    -------
    first, second : numpy.ndarray, shape (4, n)
        Four-momenta of the products in the frame of `parents`.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import higgs_events
    >>> at_rest = np.array([[125.0], [0.0], [0.0], [0.0]])
    >>> first, second = higgs_events.decay(at_rest, 0.0, 0.0, np.random.default_rng(0))
    >>> float(first[0, 0]), bool(np.allclose(first + second, at_rest))
    (62.5, True)
    """
    mass_squared = parents[0] ** 2 - parents[1] ** 2 - parents[2] ** 2 - parents[3] ** 2
    mass = np.sqrt(mass_squared)
    energy = (mass_squared + first_mass**2 - second_mass**2) / (2 * mass)
    momentum = np.sqrt(np.maximum(energy**2 - first_mass**2, 0.0))
    cosine = rng.uniform(-1.0, 1.0, len(mass))
    angle = rng.uniform(0.0, 2 * np.pi, len(mass))
    across = momentum * np.sqrt(1.0 - cosine**2)
    x, y, z = across * np.cos(angle), across * np.sin(angle), momentum * cosine
    # Boost with gamma = E / M and gamma v = p / M of the parent.
    along = (parents[1] * x + parents[2] * y + parents[3] * z) / mass
    factor = along / (parents[0] + mass) + energy / mass
    first = np.stack(
        [
            (parents[0] * energy) / mass + along,
            x + factor * parents[1],
            y + factor * parents[2],
            z + factor * parents[3],
        ]
    )
    return first, parents - first


def _w_masses(rng, n_events):
    """Breit-Wigner law, cut at 15 GeV on both sides so that every decay is allowed."""
    limit = np.arctan(2 * 15.0 / W_WIDTH_GEV)
    return W_MASS_GEV + W_WIDTH_GEV / 2 * np.tan(rng.uniform(-limit, limit, n_events))


def collide(labels, rng):
    """Draw the final particles of signal and background events before the detector.

    Parameters
    ----------
    labels : numpy.ndarray of bool, shape (n,)
        True for signal.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to numpy.ndarray, shape (4, n)
        E, x, y, z in GeV of ``lepton``, ``neutrino``, ``quark1``, ``quark2`` (of the other W), ``b1``, ``b2``. In top
        pairs ``b1`` belongs to the lepton's top.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import higgs_events
    >>> event = higgs_events.collide(np.array([True, False]), np.random.default_rng(0))
    >>> sorted(event)
    ['b1', 'b2', 'lepton', 'neutrino', 'quark1', 'quark2']
    """
    n_events = len(labels)
    excess = rng.gamma(1.6, 60.0, n_events)
    mass = np.where(labels, HEAVY_HIGGS_MASS_GEV, 2 * TOP_MASS_GEV + excess)
    momentum = rng.exponential(25.0, n_events)
    angle = rng.uniform(0.0, 2 * np.pi, n_events)
    rapidity = 0.8 * rng.standard_normal(n_events)
    transverse_mass = np.hypot(mass, momentum)
    system = np.stack(
        [
            transverse_mass * np.cosh(rapidity),
            momentum * np.cos(angle),
            momentum * np.sin(angle),
            transverse_mass * np.sinh(rapidity),
        ]
    )
    w_mass = _w_masses(rng, 2 * n_events).reshape(2, n_events)
    w = np.empty((2, 4, n_events))
    b = np.empty((2, 4, n_events))

    chosen = np.flatnonzero(labels)
    w[0][:, chosen], charged = decay(system[:, chosen], w_mass[0, chosen], CHARGED_HIGGS_MASS_GEV, rng)
    w[1][:, chosen], light = decay(charged, w_mass[1, chosen], LIGHT_HIGGS_MASS_GEV, rng)
    b[0][:, chosen], b[1][:, chosen] = decay(light, BOTTOM_MASS_GEV, BOTTOM_MASS_GEV, rng)

    chosen = np.flatnonzero(~labels)
    tops = decay(system[:, chosen], TOP_MASS_GEV, TOP_MASS_GEV, rng)
    for side, top in enumerate(tops):
        w[side][:, chosen], b[side][:, chosen] = decay(top, w_mass[side, chosen], BOTTOM_MASS_GEV, rng)

    # Either W can be the one that decays into the lepton; in top pairs its b quark goes with it.
    swapped = rng.uniform(size=n_events) < 0.5
    leptonic = np.where(swapped, w[1], w[0])
    hadronic = np.where(swapped, w[0], w[1])
    b1, b2 = np.where(swapped, b[1], b[0]), np.where(swapped, b[0], b[1])
    lepton, neutrino = decay(leptonic, 0.0, 0.0, rng)
    quark1, quark2 = decay(hadronic, 0.0, 0.0, rng)
    return {"lepton": lepton, "neutrino": neutrino, "quark1": quark1, "quark2": quark2, "b1": b1, "b2": b2}


def _invariant_mass(*momenta):
    energy, x, y, z = sum(momenta)
    return np.sqrt(np.maximum(energy**2 - x**2 - y**2 - z**2, 0.0))


def _of_jet(jets, number):
    """Four-momenta of the jets whose number is given for each event."""
    return np.take_along_axis(jets, number[None, None, :], axis=0)[0]


def high_level(lepton, missing_x, missing_y, jets, tags):
    """The seven masses of the hypotheses, from what the detector reports.

    The two b candidates are the tagged jets if there are two; otherwise, and among more tags, the choice makes the mass
    of the other pair closest to that of the W. The b candidate of ``m_jlv`` and ``m_jjj`` is chosen so that both are
    closest to the top mass. The neutrino's momentum along the beam makes the mass of lepton and neutrino that of the W
    if it can (of two solutions the smaller one), so that ``m_lv`` exceeds the W mass only when no solution exists.
    ``m_wbb`` takes the W of the two jets, which is the right one in half of the signal.

    Parameters
    ----------
    lepton : numpy.ndarray, shape (4, n)
    missing_x, missing_y : numpy.ndarray, shape (n,)
        Missing transverse momentum in GeV.
    jets : numpy.ndarray, shape (4, 4, n)
        Jet, then E, x, y, z.
    tags : numpy.ndarray of bool, shape (4, n)

    Returns
    -------
    numpy.ndarray, shape (7, n)
        In the order of `HIGH_LEVEL_NAMES`, in GeV.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import higgs_events
    >>> event = higgs_events.collide(np.ones(3, bool), np.random.default_rng(0))
    >>> jets = np.stack([event[name] for name in ("b1", "b2", "quark1", "quark2")])
    >>> tags = np.array([[True] * 3] * 2 + [[False] * 3] * 2)
    >>> masses = higgs_events.high_level(event["lepton"], event["neutrino"][1], event["neutrino"][2], jets, tags)
    >>> masses[4].round(2)
    array([125., 125., 125.])
    """
    pair_masses = np.stack([_invariant_mass(jets[one], jets[two]) for one, two, _, _ in _PAIRINGS])
    wrong_tags = np.stack([tags[one].astype(float) + tags[two] for one, two, _, _ in _PAIRINGS])
    # A tag in the light pair costs more than any mass.
    choice = (np.abs(pair_masses - W_MASS_GEV) + 1e5 * wrong_tags).argmin(0)
    number = _PAIRINGS[choice].T
    light = _of_jet(jets, number[0]) + _of_jet(jets, number[1])
    first_b, second_b = _of_jet(jets, number[2]), _of_jet(jets, number[3])

    # m_W^2 = (lepton + neutrino)^2 is a quadratic equation for the neutrino's momentum along the beam.
    transverse_squared = lepton[1] ** 2 + lepton[2] ** 2
    known = W_MASS_GEV**2 / 2 + lepton[1] * missing_x + lepton[2] * missing_y
    missing_squared = missing_x**2 + missing_y**2
    root = np.sqrt(np.maximum(known**2 - transverse_squared * missing_squared, 0.0))
    solutions = (known * lepton[3] + np.array([[1.0], [-1.0]]) * lepton[0] * root) / transverse_squared
    along = np.where(np.abs(solutions[0]) < np.abs(solutions[1]), *solutions)
    neutrino = np.stack([np.sqrt(missing_squared + along**2), missing_x, missing_y, along])
    leptonic = lepton + neutrino

    jjj = [_invariant_mass(light, candidate) for candidate in (first_b, second_b)]
    jlv = [_invariant_mass(leptonic, candidate) for candidate in (second_b, first_b)]
    distance = [np.abs(a - TOP_MASS_GEV) + np.abs(b - TOP_MASS_GEV) for a, b in zip(jjj, jlv, strict=True)]
    first_is_better = distance[0] <= distance[1]
    return np.stack(
        [
            _invariant_mass(light),
            np.where(first_is_better, *jjj),
            _invariant_mass(leptonic),
            np.where(first_is_better, *jlv),
            _invariant_mass(first_b, second_b),
            _invariant_mass(light, first_b, second_b),
            _invariant_mass(light, first_b, second_b, leptonic),
        ]
    )


def _detect(event, rng, stochastic, constant, missing_noise_gev, efficiency, mistag):
    """Features (28, n_kept) of the accepted events, and which ones were accepted."""
    jets = np.stack([event[name] for name in ("b1", "b2", "quark1", "quark2")])
    resolution = np.hypot(stochastic / np.sqrt(jets[:, 0]), constant)
    factor = np.maximum(1.0 + resolution * rng.standard_normal(resolution.shape), 0.05)
    jets = jets * factor[:, None]
    chance = np.array([efficiency, efficiency, mistag, mistag])[:, None]
    tags = rng.uniform(size=resolution.shape) < chance
    noise = missing_noise_gev * rng.standard_normal((2, resolution.shape[1]))
    missing_x, missing_y = event["neutrino"][1:3] + noise

    objects = np.concatenate([event["lepton"][None], jets])
    transverse = np.hypot(objects[:, 1], objects[:, 2])
    eta = np.arcsinh(objects[:, 3] / transverse)
    seen = (transverse > SMALLEST_MOMENTUM_GEV) & (np.abs(eta) < LARGEST_PSEUDORAPIDITY)
    kept = np.flatnonzero(seen.all(0) & tags.any(0))
    objects, transverse, eta, tags = objects[..., kept], transverse[:, kept], eta[:, kept], tags[:, kept]
    missing_x, missing_y = missing_x[kept], missing_y[kept]

    order = np.argsort(-transverse[1:], axis=0)
    jets = np.take_along_axis(objects[1:], order[:, None], axis=0)
    tags = np.take_along_axis(tags, order, axis=0)
    phi = np.arctan2(jets[:, 2], jets[:, 1])
    lepton = objects[0]
    rows = [transverse[0], eta[0], np.arctan2(lepton[2], lepton[1])]
    rows += [np.hypot(missing_x, missing_y), np.arctan2(missing_y, missing_x)]
    jet_momentum = np.take_along_axis(transverse[1:], order, axis=0)
    jet_eta = np.take_along_axis(eta[1:], order, axis=0)
    for number in range(4):
        rows += [jet_momentum[number], jet_eta[number], phi[number], tags[number].astype(float)]
    return np.concatenate([np.stack(rows), high_level(lepton, missing_x, missing_y, jets, tags)]), kept


def sample(
    n_events,
    *,
    jet_stochastic=1.8,
    jet_constant=0.15,
    missing_noise_gev=15.0,
    tag_efficiency=0.6,
    mistag_rate=0.15,
    signal_fraction=0.5,
    seed=None,
):
    r"""Draw accepted events.

    Parameters
    ----------
    n_events : int
    jet_stochastic, jet_constant : float
        a in the square root of GeV, and b, of the relative energy resolution of jets.
    missing_noise_gev : float
        Error of each component of the missing transverse momentum.
    tag_efficiency, mistag_rate : float
        Probability that a b jet, and another jet, is tagged; one tag is required.
    signal_fraction : float
        Share of signal, rounded to whole events.
    seed : int, optional

    Returns
    -------
    features : numpy.ndarray, float32, shape (n_events, 28)
        In the order of `FEATURE_NAMES`: momenta and masses in GeV, angles in rad, tags 0 or 1.
    labels : numpy.ndarray, int64, shape (n_events,)
        1 signal, 0 top pairs, in random order.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import higgs_events
    >>> features, labels = higgs_events.sample(100, seed=0)
    >>> features.shape, int(labels.sum())
    ((100, 28), 50)
    """
    n_events = require_count("n_events", n_events)
    jet_stochastic = require_positive("jet_stochastic", jet_stochastic, zero_allowed=True)
    jet_constant = require_positive("jet_constant", jet_constant, zero_allowed=True)
    missing_noise_gev = require_positive("missing_noise_gev", missing_noise_gev, zero_allowed=True)
    tag_efficiency = require_positive("tag_efficiency", tag_efficiency)
    mistag_rate = require_positive("mistag_rate", mistag_rate, zero_allowed=True)
    signal_fraction = require_positive("signal_fraction", signal_fraction, zero_allowed=True)
    for name, value in (
        ("tag_efficiency", tag_efficiency),
        ("mistag_rate", mistag_rate),
        ("signal_fraction", signal_fraction),
    ):
        if value > 1:
            raise ValueError(f"{name} must be at most 1, got {value}")

    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_events) < round(signal_fraction * n_events))
    features = np.empty((n_events, len(FEATURE_NAMES)), np.float32)
    # The acceptance differs between the classes: fill each place with the next accepted event of its class.
    for label in (True, False):
        places = np.flatnonzero(labels == label)
        done = 0
        while done < len(places):
            n_drawn = min(_CHUNK, 4 * (len(places) - done) + 64)
            found, _ = _detect(
                collide(np.full(n_drawn, label), rng),
                rng,
                jet_stochastic,
                jet_constant,
                missing_noise_gev,
                tag_efficiency,
                mistag_rate,
            )
            found = found[:, : len(places) - done]
            features[places[done : done + found.shape[1]]] = found.T
            done += found.shape[1]
    return features, labels.astype(np.int64)
