r"""Cracks that grow in a sheet of fuses: the random-fuse model of brittle fracture.

Electric current stands for stress. A square lattice of fuses of unit resistance connects two bars, the top one at
voltage 1, the bottom one at 0; left and right are joined (periodic). Each fuse burns when its current exceeds its
own random threshold. The applied voltage is raised until the weakest fuse for its load burns, the currents
redistribute (they crowd at the tips of the crack), and so on until no path is left: the sheet is broken.

Currents follow from Kirchhoff's laws. The inverse of the conductance matrix is computed once; each burnt fuse changes
it by a matrix of rank one (Sherman and Morrison), which is a hundred times faster than solving anew.

References
----------
L. de Arcangelis, S. Redner, H. J. Herrmann, J. Physique Lett. 46 (1985) L585: the model. P. M. Duxbury, P. L. Leath,
P. D. Beale, Phys. Rev. B 36 (1987) 367: the current beside one missing fuse is larger by 4/pi. P. K. V. V. Nukala,
S. Simunovic, J. Phys. A 36 (2003) 11403: fast updates.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_lib.simulators._arguments import require_count, require_range

#: Conductance below which the sheet counts as broken; the longest possible path of intact fuses has more.
_BROKEN = 1e-6

#: Update the inverse matrix afresh after so many burnt fuses, so that rounding errors cannot grow.
_REFRESH = 100


@cache
def _lattice(size):
    """Both nodes of every fuse and the index of the free nodes.

    Nodes are numbered row by row, row 0 is the bar at the top, row `size` the bar at the bottom. Vertical fuses come
    first (row by row), then the horizontal ones in the rows 1 to size - 1.
    """
    node = np.arange((size + 1) * size).reshape(size + 1, size)
    vertical = np.stack([node[:-1].ravel(), node[1:].ravel()], axis=1)
    horizontal = np.stack([node[1:-1].ravel(), np.roll(node[1:-1], -1, axis=1).ravel()], axis=1)
    fuses = np.concatenate([vertical, horizontal])
    free = np.full(node.size, -1)
    free[node[1:-1].ravel()] = np.arange((size - 1) * size)
    return fuses, free


def _conductance_matrix(size, intact):
    """Kirchhoff's matrix of the free nodes, ((size - 1) * size,) * 2."""
    fuses, free = _lattice(size)
    ends = free[fuses[intact]]
    n_free = (size - 1) * size
    matrix = np.zeros((n_free, n_free))
    for a, b in ((0, 1), (1, 0)):
        inner = ends[:, a] >= 0
        np.add.at(matrix, (ends[inner, a], ends[inner, a]), 1.0)
        both = inner & (ends[:, b] >= 0)
        np.add.at(matrix, (ends[both, a], ends[both, b]), -1.0)
    # A cluster of nodes cut off from both bars has no voltage of its own; this ties it down and changes nothing else.
    matrix[np.diag_indices(n_free)] += 1e-12
    return matrix


def _injected(size, intact):
    """Current that the top bar would push into each free node if all of them were at voltage 0."""
    injected = np.zeros((size - 1) * size)
    injected[:size] = intact[:size]
    return injected


def _flow(size, intact, free_voltages):
    """Currents of all fuses from the voltages of the free nodes."""
    fuses, free = _lattice(size)
    voltages = np.zeros((size + 1) * size)
    voltages[:size] = 1.0
    voltages[free >= 0] = free_voltages
    return np.where(intact, voltages[fuses[:, 0]] - voltages[fuses[:, 1]], 0.0)


def currents(size, intact):
    """Currents of all fuses at voltage 1.

    Parameters
    ----------
    size : int
        Fuses from bar to bar, and around.
    intact : array-like of bool, shape (2 * size**2 - size,)
        Vertical fuses row by row, then horizontal fuses row by row.

    Returns
    -------
    numpy.ndarray, shape (2 * size**2 - size,)
        From top to bottom and from left to right; zero in burnt fuses.

    Raises
    ------
    ValueError
        For another number of fuses.

    Examples
    --------
    >>> from course_lib.simulators import crack_growth
    >>> flow = crack_growth.currents(4, np.ones(28, dtype=bool))
    >>> flow[:16].round(6).min(), abs(flow[16:].round(6)).max()  # an intact sheet: straight down
    (np.float64(0.25), np.float64(0.0))
    """
    size = require_count("size", size, minimum=3)
    intact = np.asarray(intact, dtype=bool)
    if intact.shape != (2 * size**2 - size,):
        raise ValueError(f"intact must have one entry a fuse, {2 * size**2 - size}, got {intact.shape}")
    return _flow(size, intact, np.linalg.solve(_conductance_matrix(size, intact), _injected(size, intact)))


def break_sheet(size, *, threshold_range=(0.5, 1.5), seed=None):
    """Burn one sheet fuse by fuse.

    Parameters
    ----------
    size : int
        Fuses from bar to bar, and around; 3 to 48.
    threshold_range : (float, float)
        Uniform thresholds of the currents; a wider range spreads the damage, a narrow one makes a straight crack.
    seed : int, optional

    Returns
    -------
    burnt : numpy.ndarray, int64, shape (n_burnt,)
        Fuses in the order of burning; the last one breaks the sheet.
    voltages : numpy.ndarray, float64, shape (n_burnt,)
        Applied voltage at which each burns if the voltage starts from zero each time.
    conductances : numpy.ndarray, float64, shape (n_burnt,)
        Of the sheet just before each burns.

    Raises
    ------
    ValueError
        For a bad size or range.

    Examples
    --------
    >>> from course_lib.simulators import crack_growth
    >>> burnt, voltages, conductances = crack_growth.break_sheet(8, seed=0)
    >>> bool(np.all(np.diff(conductances) < 0)), round(float(conductances[0]), 6)
    (True, 1.0)
    """
    size = require_count("size", size, minimum=3)
    if size > 48:
        raise ValueError(f"size must be at most 48 (the work grows with its fifth power), got {size}")
    low, high = require_range("threshold_range", threshold_range)
    if low <= 0:
        raise ValueError(f"threshold_range must be positive, got {threshold_range!r}")
    fuses, free = _lattice(size)
    thresholds = np.random.default_rng(seed).uniform(low, high, len(fuses))
    intact = np.ones(len(fuses), dtype=bool)
    inverse = np.linalg.inv(_conductance_matrix(size, intact))
    burnt, applied, conductances = [], [], []
    while True:
        flow = _flow(size, intact, inverse @ _injected(size, intact))
        conductance = flow[:size].sum()
        if conductance < _BROKEN:
            return np.array(burnt), np.array(applied), np.array(conductances)
        load = np.abs(flow) / thresholds
        weakest = int(load.argmax())
        burnt.append(weakest)
        applied.append(1 / load[weakest])
        conductances.append(conductance)
        intact[weakest] = False
        if len(burnt) % _REFRESH == 0:
            inverse = np.linalg.inv(_conductance_matrix(size, intact))
            continue
        # Sherman-Morrison: `response` is the voltage of every node for a unit current through the fuse. A fuse whose
        # removal would cut nodes off from both bars carries no current and never burns, so the divisor is not zero.
        ends = [(free[node], sign) for node, sign in zip(fuses[weakest], (1, -1), strict=True) if free[node] >= 0]
        response = sum(sign * inverse[end] for end, sign in ends)
        share = sum(sign * response[end] for end, sign in ends)
        inverse += np.outer(response, response / (1 - share))


def maps(size, burnt):
    """Damage and currents as images, after some fuses have burnt.

    Parameters
    ----------
    size : int
    burnt : array-like of int
        Burnt fuses, numbered as in `break_sheet`.

    Returns
    -------
    damage : numpy.ndarray, int8, shape (size, size)
        Burnt fuses of each cell: the vertical one and the horizontal one below it, so 0, 1 or 2.
    flow : numpy.ndarray, float32, shape (size, size)
        Absolute current of each vertical fuse at voltage 1, in units of the intact sheet's current.

    Examples
    --------
    >>> from course_lib.simulators import crack_growth
    >>> damage, flow = crack_growth.maps(6, [20])
    >>> int(damage.sum()), flow[3, 2]  # fuse 20 of the 6 x 6 vertical ones
    (1, np.float32(0.0))
    """
    intact = np.ones(2 * size**2 - size, dtype=bool)
    intact[np.asarray(burnt, dtype=int)] = False
    damage = np.zeros((size, size), dtype=np.int8)
    damage += ~intact[: size**2].reshape(size, size)
    damage[:-1] += ~intact[size**2 :].reshape(size - 1, size)
    return damage, (size * np.abs(currents(size, intact)[: size**2])).reshape(size, size).astype(np.float32)
