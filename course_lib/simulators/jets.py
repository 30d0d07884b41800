r"""Jets from W bosons (two prongs, fixed mass) and from quarks and gluons (QCD), as lists of particles.

Every jet is a chain of decays with exact kinematics: a parent of mass M and transverse momentum of 250 to 300 GeV
decays into two prongs, each prong breaks up into massless particles. Four-momentum is conserved at every step, so
that without radiation and resolution the mass of the jet is the mass of its parent.

- W: M from a Breit-Wigner law around 80.4 GeV, the momentum share of the softer prong uniform (an isotropic decay),
  narrow prongs of 9 particles on average.
- QCD: M uniform from 65 to 95 GeV, so that the mass alone says little; the softer prong takes the share z with
  density 1/z, as radiation does; wider prongs of 11 particles.

Soft particles from elsewhere, more of them around a QCD jet, and a calorimeter's energy resolution are added last.

References
----------
Jet images and their alignment: J. Cogan, M. Kagan, E. Strauss, A. Schwartzman, JHEP 02 (2015) 118; L. de Oliveira et
al., JHEP 07 (2016) 069. N-subjettiness: J. Thaler, K. Van Tilburg, JHEP 03 (2011) 015. Mass and width of the W:
Particle Data Group. The fragmentation is a toy of ours: only its kinematics is exact.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive, require_range

W_MASS_GEV, W_WIDTH_GEV = 80.4, 2.1

#: Names in the order of the labels.
KINDS = ("qcd", "w")

#: Mean number of particles in a prong, its angular width, and mean number of soft particles, for each kind.
PRONG_PARTICLES = {"qcd": 11.0, "w": 9.0}
PRONG_WIDTH = {"qcd": 0.075, "w": 0.06}
SOFT_PARTICLES = {"qcd": 6.0, "w": 4.0}

#: Soft particles lie within this distance of the axis, and carry 1 GeV of transverse momentum on average.
SOFT_RADIUS = 0.8
SOFT_MOMENTUM_GEV = 1.0

#: Smallest share of the softer prong.
SMALLEST_SHARE = {"qcd": 0.05, "w": 0.1}

# Of the gamma law of the mean number of particles in a prong.
_MULTIPLICITY_SHAPE = 6.0

# Room for the particles of a prong, and for soft ones; more are not made.
_PRONG_SLOTS, _SOFT_SLOTS = 24, 16

#: Rows of the array of constituents; unused rows are zero.
MAX_CONSTITUENTS = 2 * _PRONG_SLOTS + _SOFT_SLOTS

# Jets of this many fit into the cache of a core.
_CHUNK = 1024


def _prongs(rng, n_prongs, mean_particles, width):
    """Massless particles of jets of 1 GeV along z: momenta (n, slots, 4), zero where there is none."""
    # The mean itself fluctuates (negative binomial law), as multiplicities in jets do.
    mean = (mean_particles - 1) * rng.gamma(_MULTIPLICITY_SHAPE, 1.0 / _MULTIPLICITY_SHAPE, n_prongs)
    number = np.clip(1 + rng.poisson(mean), 2, _PRONG_SLOTS)
    used = np.arange(_PRONG_SLOTS) < number[:, None]
    share = rng.exponential(size=used.shape) * used
    share /= share.sum(1, keepdims=True)
    # Student's t with three degrees of freedom: a narrow core and wide tails.
    offset = width * rng.standard_normal((2, *used.shape)) * np.sqrt(3.0 / rng.chisquare(3, used.shape))
    transverse = share * np.clip(offset, -0.5, 0.5)
    transverse -= share * transverse.sum(-1, keepdims=True)  # recoil: the prong keeps its direction
    energy = np.sqrt(share**2 + (transverse**2).sum(0))
    return np.stack([energy, transverse[0], transverse[1], share], axis=-1)


def _parents(rng, labels, mass_range_gev):
    """Mass of each parent."""
    low, high = mass_range_gev
    quantile = rng.uniform(size=len(labels))
    # Breit-Wigner, cut at the range: inverse of its cumulative distribution.
    lower, upper = (np.arctan(2 * (bound - W_MASS_GEV) / W_WIDTH_GEV) for bound in (low, high))
    resonance = W_MASS_GEV + W_WIDTH_GEV / 2 * np.tan(lower + quantile * (upper - lower))
    return np.where(labels == 1, resonance, low + quantile * (high - low))


def _decayed(rng, labels, masses_gev, momenta_gev, rapidities):
    """Four-momenta (n, 2 slots, 4) of the particles of both prongs."""
    n_jets = len(labels)
    prong = np.empty((n_jets, 2, _PRONG_SLOTS, 4))
    cosine = np.empty(n_jets)
    for label, kind in enumerate(KINDS):
        chosen = np.flatnonzero(labels == label)
        if not len(chosen):
            continue
        made = _prongs(rng, 2 * len(chosen), PRONG_PARTICLES[kind], PRONG_WIDTH[kind])
        prong[chosen] = made.reshape(len(chosen), 2, _PRONG_SLOTS, 4)
        quantile = rng.uniform(size=len(chosen))
        smallest = SMALLEST_SHARE[kind]
        uniform, radiated = smallest + quantile * (0.5 - smallest), smallest * (0.5 / smallest) ** quantile
        share = uniform if kind == "w" else radiated
        # For massless prongs and a fast parent the share of the momentum is (1 - cos) / 2.
        cosine[chosen] = 1.0 - 2.0 * share

    # Prongs of 1 GeV have a mass; half of the parent's energy makes it a mass in GeV that the decay can afford.
    total = prong.sum(2)
    relative = np.sqrt(np.maximum(total[..., 0] ** 2 - (total[..., 1:] ** 2).sum(-1), 0.0))
    mass = masses_gev[:, None] / 2 * np.minimum(relative / total[..., 0], 0.9)
    one, two = mass[:, 0] ** 2, mass[:, 1] ** 2
    parent = masses_gev**2
    momentum = np.sqrt((parent - (mass.sum(1)) ** 2) * (parent - (mass[:, 0] - mass[:, 1]) ** 2)) / (2 * masses_gev)
    energy = np.stack([parent + one - two, parent - one + two], axis=1) / (2 * masses_gev[:, None])

    # Each prong: scale its invariant mass to the wanted one, then boost along z to the wanted momentum.
    scale = mass / np.maximum(relative, 1e-12)
    prong *= scale[..., None, None]
    rest = prong.sum(2)
    # Its total lies along z by construction; to rest and on to the momentum of the decay in one rapidity step.
    step = np.arctanh(momentum[:, None] / energy) - np.arctanh(rest[..., 3] / rest[..., 0])
    cosh, sinh = np.cosh(step)[..., None], np.sinh(step)[..., None]
    moved_energy = cosh * prong[..., 0] + sinh * prong[..., 3]
    moved_z = cosh * prong[..., 3] + sinh * prong[..., 0]

    # Direction of the decay in the rest frame, measured from the parent's flight direction; the second goes back.
    angle = rng.uniform(0.0, 2 * np.pi, (n_jets, 1, 1))
    sine = np.sqrt(1.0 - cosine**2)[:, None, None]
    cosine = cosine[:, None, None]
    sign = np.array([1.0, -1.0])[:, None]
    x, y, z = sign * prong[..., 1], prong[..., 2], sign * moved_z
    in_plane = cosine * x + sine * z
    flight = cosine * z - sine * x
    first = np.cos(angle) * in_plane - np.sin(angle) * y
    second = np.sin(angle) * in_plane + np.cos(angle) * y

    # Boost to the transverse momentum (along x), then along the beam (z) to the rapidity.
    particles = np.stack([moved_energy, flight, first, second], axis=-1).reshape(n_jets, 2 * _PRONG_SLOTS, 4)
    gamma = np.hypot(1.0, momenta_gev / masses_gev)[:, None]
    kick = (momenta_gev / masses_gev)[:, None]
    boosted = particles.copy()
    boosted[..., 0] = gamma * particles[..., 0] + kick * particles[..., 1]
    boosted[..., 1] = gamma * particles[..., 1] + kick * particles[..., 0]
    cosh, sinh = np.cosh(rapidities)[:, None], np.sinh(rapidities)[:, None]
    lab = boosted.copy()
    lab[..., 0] = cosh * boosted[..., 0] + sinh * boosted[..., 3]
    lab[..., 3] = cosh * boosted[..., 3] + sinh * boosted[..., 0]
    return lab


def _wrapped(angle):
    """Angles in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def sample(
    n_jets,
    *,
    momentum_range_gev=(250.0, 300.0),
    mass_range_gev=(65.0, 95.0),
    w_fraction=0.5,
    soft_radiation=1.0,
    energy_resolution=0.1,
    seed=None,
):
    """Draw jets.

    Parameters
    ----------
    n_jets : int
    momentum_range_gev : (float, float)
        Transverse momentum of the parent, uniform.
    mass_range_gev : (float, float)
        Mass of the parent: uniform for QCD, the Breit-Wigner law of the W cut there.
    w_fraction : float
        Share of W jets, rounded to whole jets.
    soft_radiation : float
        Factor of the mean number of soft particles; 0 for none.
    energy_resolution : float
        Relative energy error of each particle; 0 for none.
    seed : int, optional

    Returns
    -------
    constituents : numpy.ndarray, float32, shape (n_jets, 64, 3)
        Transverse momentum in GeV, pseudorapidity, azimuth in rad in [-pi, pi], hardest first; zeros after the last.
    labels : numpy.ndarray, int64, shape (n_jets,)
        1 W, 0 QCD, in random order.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import jets
    >>> constituents, labels = jets.sample(100, seed=0)
    >>> constituents.shape, int(labels.sum())
    ((100, 64, 3), 50)
    """
    n_jets = require_count("n_jets", n_jets)
    momentum_range_gev = require_range("momentum_range_gev", momentum_range_gev)
    mass_range_gev = require_range("mass_range_gev", mass_range_gev)
    for name, value in (("momentum_range_gev", momentum_range_gev), ("mass_range_gev", mass_range_gev)):
        if value[0] <= 0:
            raise ValueError(f"{name} must be positive, got {value!r}")
    w_fraction = require_positive("w_fraction", w_fraction, zero_allowed=True)
    if w_fraction > 1:
        raise ValueError(f"w_fraction must be at most 1, got {w_fraction}")
    soft_radiation = require_positive("soft_radiation", soft_radiation, zero_allowed=True)
    energy_resolution = require_positive("energy_resolution", energy_resolution, zero_allowed=True)

    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_jets) < round(w_fraction * n_jets)).astype(np.int64)
    constituents = np.zeros((n_jets, MAX_CONSTITUENTS, 3), np.float32)
    soft_means = soft_radiation * np.array([SOFT_PARTICLES[kind] for kind in KINDS])
    for start in range(0, n_jets, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_jets))
        label = labels[rows]
        n_rows = len(label)
        mass = _parents(rng, label, mass_range_gev)
        momentum = rng.uniform(*momentum_range_gev, n_rows)
        rapidity = rng.uniform(-1.0, 1.0, n_rows)
        four = _decayed(rng, label, mass, momentum, rapidity)
        transverse = np.hypot(four[..., 1], four[..., 2])
        used = transverse > 0
        eta = np.arcsinh(four[..., 3] / np.where(used, transverse, 1.0))
        phi = np.arctan2(four[..., 2], four[..., 1])

        n_soft = np.minimum(rng.poisson(soft_means[label]), _SOFT_SLOTS)
        soft = np.arange(_SOFT_SLOTS) < n_soft[:, None]
        soft_momentum = rng.exponential(SOFT_MOMENTUM_GEV, soft.shape) * soft
        radius = SOFT_RADIUS * np.sqrt(rng.uniform(size=soft.shape))
        around = rng.uniform(0.0, 2 * np.pi, soft.shape)
        transverse = np.concatenate([transverse, soft_momentum], axis=1)
        eta = np.concatenate([eta, rapidity[:, None] + radius * np.cos(around)], axis=1)
        phi = np.concatenate([phi, radius * np.sin(around)], axis=1)
        if energy_resolution:
            transverse *= np.maximum(1.0 + energy_resolution * rng.standard_normal(transverse.shape), 0.0)
        phi = _wrapped(phi + rng.uniform(-np.pi, np.pi, (n_rows, 1)))
        empty = transverse <= 0
        eta[empty] = phi[empty] = 0.0
        order = np.argsort(-transverse, axis=1)
        for column, values in enumerate((transverse, eta, phi)):
            constituents[rows, :, column] = np.take_along_axis(values, order, axis=1)
    return constituents, labels


def _require_constituents(constituents):
    constituents = np.asarray(constituents)
    if constituents.ndim != 3 or constituents.shape[2] != 3:
        raise ValueError(f"constituents must have the shape (n, m, 3), got {constituents.shape}")
    return constituents


def mass(constituents):
    """Invariant mass of jets of massless particles.

    Parameters
    ----------
    constituents : array-like, shape (n, m, 3)
        Transverse momentum in GeV, pseudorapidity, azimuth in rad.

    Returns
    -------
    numpy.ndarray, float64, shape (n,)
        In GeV.

    Raises
    ------
    ValueError
        For another shape.

    Examples
    --------
    Two particles back to back:

    >>> import numpy as np
    >>> from course_lib.simulators import jets
    >>> float(jets.mass([[[40.0, 0, 0], [40.0, 0, np.pi]]])[0].round(6))
    80.0
    """
    momentum, eta, phi = np.moveaxis(_require_constituents(constituents).astype(float), 2, 0)
    energy = (momentum * np.cosh(eta)).sum(1)
    along = (momentum * np.sinh(eta)).sum(1)
    squared = energy**2 - along**2 - (momentum * np.cos(phi)).sum(1) ** 2 - (momentum * np.sin(phi)).sum(1) ** 2
    return np.sqrt(np.maximum(squared, 0.0))


def _centred(constituents):
    """Momenta and offsets in pseudorapidity and azimuth from the momentum-weighted centre, float64 (n, m) each."""
    momentum, eta, phi = np.moveaxis(_require_constituents(constituents).astype(float), 2, 0)
    total = momentum.sum(1, keepdims=True)
    if not (total > 0).all():
        raise ValueError("constituents must hold at least one particle with momentum in each jet, got an empty jet")
    # Azimuths relative to the hardest particle: no jet is torn apart at +-pi.
    hardest = np.take_along_axis(phi, momentum.argmax(1)[:, None], axis=1)
    phi = _wrapped(phi - hardest)
    return tuple([momentum] + [value - (momentum * value).sum(1, keepdims=True) / total for value in (eta, phi)])


def n_subjettiness(constituents, n_axes, *, radius=0.8, n_iterations=10):
    r"""N-subjettiness: how badly N axes describe a jet.

    .. math:: \tau_N = \frac{1}{d_0}\sum_k p_{T,k}\,\min_a \Delta R_{a,k}, \qquad d_0 = R \sum_k p_{T,k}

    The axes are those of Lloyd's algorithm with transverse momenta as weights, started from the hardest particle and
    then from particles that are both hard and far from the axes so far.

    Parameters
    ----------
    constituents : array-like, shape (n, m, 3)
    n_axes : int
    radius : float
        R of the normalisation.
    n_iterations : int

    Returns
    -------
    numpy.ndarray, float64, shape (n,)

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import jets
    >>> jets.n_subjettiness([[[50.0, 0.0, 0.0], [50.0, 0.4, 0.0]]], 1).round(3)
    array([0.25])
    """
    n_axes = require_count("n_axes", n_axes)
    n_iterations = require_count("n_iterations", n_iterations, minimum=0)
    radius = require_positive("radius", radius)
    momentum, eta, phi = _centred(constituents)
    rows = np.arange(len(momentum))
    tau = np.empty(len(momentum))
    for start in range(0, len(momentum), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        weight, x, y = momentum[chunk], eta[chunk], phi[chunk]
        here = rows[: len(weight)]

        def nearest(axes, x=x, y=y):
            return np.stack([(x - a[:, None]) ** 2 + (y - b[:, None]) ** 2 for a, b in axes]).astype(np.float64)

        hardest = weight.argmax(1)
        axes = [(x[here, hardest], y[here, hardest])]
        while len(axes) < n_axes:
            farthest = (weight * nearest(axes).min(0)).argmax(1)
            axes.append((x[here, farthest], y[here, farthest]))
        for _ in range(n_iterations):
            owner = nearest(axes).argmin(0)
            for number, (a, b) in enumerate(axes):
                mine = weight * (owner == number)
                total = mine.sum(1)
                safe = np.where(total > 0, total, 1.0)
                axes[number] = (
                    np.where(total > 0, (mine * x).sum(1) / safe, a),
                    np.where(total > 0, (mine * y).sum(1) / safe, b),
                )
        distance = np.sqrt(nearest(axes).min(0))
        tau[chunk] = (weight * distance).sum(1) / (radius * weight.sum(1))
    return tau


def align(constituents, *, rotate=True, flip=True):
    """Bring jets into one position: centre at the origin, principal axis upwards, harder side up and to the right.

    Parameters
    ----------
    constituents : array-like, shape (n, m, 3)
    rotate : bool
        Turn the principal axis of the momenta to the vertical (second coordinate).
    flip : bool
        Mirror so that the upper half and the right half hold more momentum.

    Returns
    -------
    numpy.ndarray, float32, shape (n, m, 3)
        Transverse momentum in GeV, horizontal and vertical distance in units of pseudorapidity and rad.

    Raises
    ------
    ValueError
        For another shape or an empty jet.

    Examples
    --------
    >>> from course_lib.simulators import jets
    >>> jets.align([[[30.0, 1.0, 3.0], [10.0, 1.4, 3.0]]])[0, :, 2].round(2)
    array([ 0.1, -0.3], dtype=float32)
    """
    momentum, x, y = _centred(constituents)
    if rotate:
        angle = 0.5 * np.arctan2(2 * (momentum * x * y).sum(1), (momentum * (x**2 - y**2)).sum(1))
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        x, y = sine * x - cosine * y, cosine * x + sine * y
    if flip:
        x, y = (np.where(((momentum * np.sign(value)).sum(1) < 0)[:, None], -value, value) for value in (x, y))
    empty = momentum <= 0
    return np.stack([momentum, np.where(empty, 0.0, x), np.where(empty, 0.0, y)], axis=2).astype(np.float32)


def images(constituents, *, size=33, half_width=1.25, aligned=True):
    """Pictures of jets: transverse momentum in each pixel.

    Parameters
    ----------
    constituents : array-like, shape (n, m, 3)
    size : int
        Pixels along an edge.
    half_width : float
        The picture covers distances up to this from the centre; what lies farther out is lost.
    aligned : bool
        Rotate and flip before (see `align`); jets are centred in any case.

    Returns
    -------
    numpy.ndarray, float32, shape (n, size, size)
        In GeV; the first axis is the vertical one and points up with the index.

    Raises
    ------
    ValueError
        For bad arguments.

    Examples
    --------
    >>> from course_lib.simulators import jets
    >>> constituents, labels = jets.sample(10, seed=0)
    >>> jets.images(constituents).shape
    (10, 33, 33)
    """
    size = require_count("size", size)
    half_width = require_positive("half_width", half_width)
    constituents = _require_constituents(constituents)
    pictures = np.empty((len(constituents), size, size), np.float32)
    for start in range(0, len(constituents), _CHUNK):
        momentum, x, y = np.moveaxis(align(constituents[start : start + _CHUNK], rotate=aligned, flip=aligned), 2, 0)
        scale = size / (2 * half_width)
        column = np.floor((x + half_width) * scale).astype(np.int64)
        row = np.floor((y + half_width) * scale).astype(np.int64)
        inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
        pixel = (np.arange(len(momentum))[:, None] * size + row) * size + column
        filled = np.bincount(pixel[inside], momentum[inside], minlength=len(momentum) * size * size)
        pictures[start : start + _CHUNK] = filled.reshape(-1, size, size)
    return pictures
