r"""Electromagnetic showers in a calorimeter.

The mean deposit at the depth t (in radiation lengths) of an electron of energy E follows a gamma law,

.. math:: \frac{dE}{dt} = E\,b\,\frac{(bt)^{a-1} e^{-bt}}{\Gamma(a)}, \qquad
          t_\mathrm{max} = \frac{a-1}{b} = \ln\frac{E}{E_c} - 0.5

with b = 0.5 and the critical energy of 10 MeV; b fluctuates by 6 % and the depth of the maximum by 8 % from shower to
shower. Across the axis a narrow core (86 %) and a tail fall exponentially, both wider with depth. The number of
quanta of 1 GeV in each cell follows a Poisson law: this is what makes showers sparse and limits the resolution to
:math:`\sigma/E=\sqrt{1\,\mathrm{GeV}/E}`.

References
----------
Longitudinal profile: E. Longo and I. Sestili, Nucl. Instrum. Meth. 128 (1975) 283; Particle Data Group, review of the
passage of particles through matter. Grid and scale of the projections follow the public electron showers of a CLIC
detector prototype, see F. Carminati et al., J. Phys. Conf. Ser. 1085 (2018) 032016; three layers as in M. Paganini,
L. de Oliveira, B. Nachman, Phys. Rev. D 97 (2018) 014021. Widths and fluctuations are ours.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc

from course_lib.simulators._arguments import require_count, require_positive, require_range

CRITICAL_ENERGY_GEV = 0.010

#: Slope b of the longitudinal profile per radiation length.
SLOPE = 0.5

#: Share of the narrow core.
CORE_SHARE = 0.86

#: Projections: cells across the axis, layers along it, thickness of a layer in radiation lengths.
N_TRANSVERSE_CELLS, N_DEPTH_CELLS, LAYER_THICKNESS = 25, 25, 0.65

#: Three-layer readout: borders in radiation lengths, and cells along an edge.
LAYER_BORDERS = (0.0, 5.0, 12.0, 20.0)
N_LAYER_CELLS = 6

# Showers of this many fit into the cache of a core.
_CHUNK = 512


def depth_of_maximum(energy_gev):
    """Depth of the largest mean deposit.

    Parameters
    ----------
    energy_gev : array-like

    Returns
    -------
    numpy.ndarray
        In radiation lengths.

    Examples
    --------
    >>> from course_lib.simulators import calorimeter
    >>> float(calorimeter.depth_of_maximum(100.0).round(2))
    8.71
    """
    return np.log(np.asarray(energy_gev, dtype=float) / CRITICAL_ENERGY_GEV) - 0.5


def _depth_shares(energy_gev, borders, fluctuations, rng):
    """Share of the energy between consecutive borders, shape (n, len(borders) - 1)."""
    slope, maximum = SLOPE, depth_of_maximum(energy_gev)
    if fluctuations:
        slope = SLOPE * np.clip(1.0 + 0.06 * rng.standard_normal(len(energy_gev)), 0.5, 1.5)
        maximum = maximum * np.clip(1.0 + 0.08 * rng.standard_normal(len(energy_gev)), 0.5, 1.5)
    shape = (1.0 + slope * maximum)[:, None]
    scaled = np.multiply.outer(np.broadcast_to(slope, len(energy_gev)), borders)
    return np.diff(gammainc(shape, scaled), axis=1)


def _exponential_shares(n_cells, width, offset):
    """Share of a two-sided exponential in each of ``n_cells`` cells of width 1, shape (n, depths, n_cells)."""
    edges = np.arange(n_cells + 1) - n_cells / 2 - offset[:, None]
    scaled = edges[:, None, :] / width[None, :, None]
    below = np.where(scaled < 0, 0.5 * np.exp(-np.abs(scaled)), 1.0 - 0.5 * np.exp(-np.abs(scaled)))
    return np.diff(below, axis=2)


def _widths(depth):
    """Core and tail in units of a cell at a depth in radiation lengths."""
    return 0.25 + 0.004 * depth, 1.6 + 0.05 * depth


def _checked(n_showers, energy_range_gev, quantum_gev):
    n_showers = require_count("n_showers", n_showers)
    low, high = require_range("energy_range_gev", energy_range_gev)
    if low < 1.0:
        raise ValueError(f"energy_range_gev must start at 1 GeV or above, got {energy_range_gev!r}")
    return n_showers, low, high, require_positive("quantum_gev", quantum_gev)


def _sample(n_showers, low, high, cells, borders, combine, fluctuations, quantum_gev, seed):
    rng = np.random.default_rng(seed)
    energies_gev = rng.uniform(low, high, n_showers)
    deposits_gev = np.empty((n_showers, *cells), np.float32)
    core_width, tail_width = _widths((borders[1:] + borders[:-1]) / 2)
    for start in range(0, n_showers, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_showers))
        energy = energies_gev[rows]
        shares = _depth_shares(energy, borders, fluctuations, rng)
        offsets = 0.08 * rng.standard_normal((2, len(energy))) if fluctuations else np.zeros((2, len(energy)))
        mean = energy.reshape(-1, *(1 for _ in cells)) * combine(shares, core_width, tail_width, offsets)
        deposits_gev[rows] = quantum_gev * rng.poisson(mean / quantum_gev)
    return deposits_gev, energies_gev


def sample_projections(n_showers, *, energy_range_gev=(10.0, 500.0), fluctuations=True, quantum_gev=1.0, seed=None):
    """Draw showers seen from the side: one direction across the axis and the depth.

    Parameters
    ----------
    n_showers : int
    energy_range_gev : (float, float)
        Electron energies are uniform in it; from 1 GeV.
    fluctuations : bool
        Of shape and position from shower to shower; the Poisson law of the quanta stays.
    quantum_gev : float
        Size of a quantum.
    seed : int, optional

    Returns
    -------
    deposits_gev : numpy.ndarray, float32, shape (n_showers, 25, 25)
        First across the axis, then along it. Divide by 50 for the scale of the public showers.
    energies_gev : numpy.ndarray, float64, shape (n_showers,)
        Of the electrons.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import calorimeter
    >>> deposits_gev, energies_gev = calorimeter.sample_projections(100, seed=0)
    >>> deposits_gev.shape, energies_gev.shape
    ((100, 25, 25), (100,))
    """
    n_showers, low, high, quantum_gev = _checked(n_showers, energy_range_gev, quantum_gev)

    def combine(shares, core_width, tail_width, offsets):
        across = CORE_SHARE * _exponential_shares(N_TRANSVERSE_CELLS, core_width, offsets[0])
        across += (1 - CORE_SHARE) * _exponential_shares(N_TRANSVERSE_CELLS, tail_width, offsets[0])
        return shares[:, None, :] * across.transpose(0, 2, 1)

    borders = LAYER_THICKNESS * np.arange(N_DEPTH_CELLS + 1)
    cells = (N_TRANSVERSE_CELLS, N_DEPTH_CELLS)
    return _sample(n_showers, low, high, cells, borders, combine, fluctuations, quantum_gev, seed)


def sample_layers(n_showers, *, energy_range_gev=(10.0, 100.0), fluctuations=True, quantum_gev=0.1, seed=None):
    """Draw showers in three layers of 6 x 6 cells, one behind the other.

    Parameters
    ----------
    n_showers : int
    energy_range_gev : (float, float)
        Electron energies are uniform in it; from 1 GeV.
    fluctuations : bool
        Of shape and position from shower to shower; the Poisson law of the quanta stays.
    quantum_gev : float
        Size of a quantum.
    seed : int, optional

    Returns
    -------
    deposits_gev : numpy.ndarray, float32, shape (n_showers, 3, 6, 6)
        Layer, then the two directions across the axis.
    energies_gev : numpy.ndarray, float64, shape (n_showers,)
        Of the electrons.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import calorimeter
    >>> calorimeter.sample_layers(100, seed=0)[0].shape
    (100, 3, 6, 6)
    """
    n_showers, low, high, quantum_gev = _checked(n_showers, energy_range_gev, quantum_gev)

    def combine(shares, core_width, tail_width, offsets):
        across = 0.0
        for share, width in ((CORE_SHARE, core_width), (1 - CORE_SHARE, tail_width)):
            x, y = (_exponential_shares(N_LAYER_CELLS, width, offset) for offset in offsets)
            across = across + share * x[:, :, :, None] * y[:, :, None, :]
        return shares[:, :, None, None] * across

    cells = (len(LAYER_BORDERS) - 1, N_LAYER_CELLS, N_LAYER_CELLS)
    return _sample(n_showers, low, high, cells, np.array(LAYER_BORDERS), combine, fluctuations, quantum_gev, seed)
