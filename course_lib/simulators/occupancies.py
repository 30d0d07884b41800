r"""Occupancies of muon chambers: how often each wire fired during a run, and what a broken chamber looks like.

A chamber has 12 layers of 100 wires, in three groups of four layers. In a good run the number of hits of wire j in
layer i is Poissonian with the mean

.. math:: \mu_{ij} = r\,g_i\,\big(1+\alpha_G u_j+\beta_G u_j^2\big)\,w_j,\qquad u_j\in[-1,1]

with the luminosity of the run r, the efficiency of the layer g within some percent, a slope and a curvature of each
group, since the flux of muons changes smoothly through the detector, and ends w where fewer tracks pass. Faults are
what happens in the cavern: dead wires (a connector of 16, in all layers of a group), noisy wires, and a layer whose
high voltage is too low.

References
----------
The task: A. A. Pol, G. Cerminara, C. Germain, M. Pierini, A. Seth, Detector monitoring with artificial neural networks
at the CMS experiment at the CERN Large Hadron Collider, Computing and Software for Big Science 3 (2019) 3. Layers and
wires as in that paper; rates and faults are ours.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count, require_positive

N_LAYERS, N_WIRES, LAYERS_A_GROUP, WIRES_A_CONNECTOR = 12, 100, 4, 16

#: Order of the labels.
CLASS_NAMES = ("good", "dead", "noisy", "inefficient")


def expected_hits(n_maps, *, hits_a_wire=50.0, seed=None):
    """Mean number of hits of each wire in good runs.

    Parameters
    ----------
    n_maps : int
    hits_a_wire : float
        Of a wire in the middle, averaged over the runs; the luminosity of a run is within a factor of 2 of it.
    seed : int or numpy.random.Generator, optional

    Returns
    -------
    numpy.ndarray, float64, shape (n_maps, 12, 100)

    Examples
    --------
    >>> from course_lib.simulators import occupancies
    >>> occupancies.expected_hits(3, seed=0).shape
    (3, 12, 100)
    """
    n_maps, hits_a_wire = require_count("n_maps", n_maps), require_positive("hits_a_wire", hits_a_wire)
    rng = np.random.default_rng(seed)
    u = np.linspace(-1, 1, N_WIRES)
    n_groups = N_LAYERS // LAYERS_A_GROUP
    slope, curvature = rng.uniform(-0.4, 0.4, (n_maps, n_groups, 1)), rng.uniform(-0.4, 0.2, (n_maps, n_groups, 1))
    groups = (1 + slope * u + curvature * u**2) * np.sqrt(np.clip(8 * (1.02 - np.abs(u)), 0, 1))
    layers = np.repeat(groups, LAYERS_A_GROUP, axis=1)
    efficiency = 1 + 0.03 * rng.standard_normal((n_maps, N_LAYERS, 1))
    luminosity = 2.0 ** rng.uniform(-1, 1, (n_maps, 1, 1))
    # The mean of 2^x over [-1, 1] is 1.5 / ln 4.
    return hits_a_wire * np.log(4) / 1.5 * luminosity * efficiency * layers


def sample(n_maps, *, fault_fraction=0.5, hits_a_wire=50.0, seed=None):
    """Draw occupancy maps of good and faulty chambers.

    Parameters
    ----------
    n_maps : int
    fault_fraction : float
        Share of faulty maps, one kind of fault each, all kinds alike; 0 for training an autoencoder.
    hits_a_wire : float
        Mean number of hits of a good wire in the middle, over all runs.
    seed : int, optional

    Returns
    -------
    hits : numpy.ndarray, float32, shape (n_maps, 12, 100)
        Whole numbers.
    labels : numpy.ndarray, int64, shape (n_maps,)
        Index into `CLASS_NAMES`, in random order.
    factors : numpy.ndarray, float32, shape (n_maps, 12, 100)
        Mean number of hits divided by that of a good wire: 1 where nothing is broken, 0 for a dead wire.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import occupancies
    >>> hits, labels, factors = occupancies.sample(100, seed=0)
    >>> hits.shape, int((labels > 0).sum())
    ((100, 12, 100), 50)
    """
    n_maps = require_count("n_maps", n_maps)
    if not 0 <= fault_fraction <= 1:
        raise ValueError(f"fault_fraction must be between 0 and 1, got {fault_fraction!r}")
    rng = np.random.default_rng(seed)
    means = expected_hits(n_maps, hits_a_wire=hits_a_wire, seed=rng)
    n_faulty = round(fault_fraction * n_maps)
    labels = rng.permutation(np.where(np.arange(n_maps) < n_faulty, 1 + np.arange(n_maps) % 3, 0))
    factors = np.ones(means.shape, np.float32)
    for number in np.flatnonzero(labels):
        _break(factors[number], CLASS_NAMES[labels[number]], rng)
    return rng.poisson(means * factors).astype(np.float32), labels, factors


def _break(factors, fault, rng):
    """Put one fault into the factors (12, 100) of a chamber, in place."""
    layer = rng.integers(N_LAYERS)
    if fault == "dead":
        group = layer // LAYERS_A_GROUP * LAYERS_A_GROUP
        first = rng.integers(N_WIRES // WIRES_A_CONNECTOR) * WIRES_A_CONNECTOR
        factors[group : group + LAYERS_A_GROUP, first : first + WIRES_A_CONNECTOR] = 0
    elif fault == "noisy":
        n_wires = rng.integers(1, 6)
        factors[layer, rng.choice(N_WIRES, n_wires, replace=False)] = rng.uniform(3, 10, n_wires)
    else:
        factors[layer] = rng.uniform(0.5, 0.85)


def rate_score(hits):
    """Standard algorithm without learning: the largest deviation of a wire from its neighbours.

    Each wire is compared with the mean of the eight nearest ones in its layer, in units of the Poisson error. It finds
    single noisy wires and the edges of dead regions, and is blind to a layer whose efficiency has dropped.

    Parameters
    ----------
    hits : array-like, shape (n, 12, 100)

    Returns
    -------
    numpy.ndarray, float64, shape (n,)

    Raises
    ------
    ValueError
        For a wrong shape.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.simulators import occupancies
    >>> flat = np.full((1, 12, 100), 50.0)
    >>> occupancies.rate_score(flat)
    array([0.])
    """
    hits = np.asarray(hits, dtype=float)
    if hits.ndim != 3 or hits.shape[1:] != (N_LAYERS, N_WIRES):
        raise ValueError(f"hits must have the shape (n, {N_LAYERS}, {N_WIRES}), got {hits.shape}")
    padded = np.pad(hits, ((0, 0), (0, 0), (4, 4)), mode="reflect")
    neighbours = (np.lib.stride_tricks.sliding_window_view(padded, 9, axis=2).sum(-1) - hits) / 8
    return (np.abs(hits - neighbours) / np.sqrt(np.maximum(neighbours, 1.0) * (1 + 1 / 8))).max((1, 2))
