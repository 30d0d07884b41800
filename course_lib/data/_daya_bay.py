"""Events of a reactor-antineutrino detector."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import daya_bay as simulator


class DayaBay(NamedTuple):
    """Simulated maps of photomultipliers.

    Attributes
    ----------
    charges : numpy.ndarray, float32, shape (n, 8, 24)
        Photoelectrons of each tube: rings from the lowest to the highest, columns around the cylinder. Column 23 is
        the neighbour of column 0.
    labels : numpy.ndarray, int64, shape (n,)
        Index into `class_names`.
    energies_mev : numpy.ndarray, float64, shape (n,)
        Energy deposited.
    positions_m : numpy.ndarray, float64, shape (n, 3)
        Vertex; where a muon enters; the tube that flashes.
    class_names : tuple of str
    """

    charges: np.ndarray
    labels: np.ndarray
    energies_mev: np.ndarray
    positions_m: np.ndarray
    class_names: tuple


def make_daya_bay(n_events=4000, *, classes=simulator.CLASS_NAMES, seed=None, **options):
    """Simulate positrons, neutron captures, muons, flashers and radioactivity.

    Parameters
    ----------
    n_events : int
    classes : sequence of str
        Some of ``"prompt"``, ``"delayed"``, ``"muon"``, ``"flasher"``, ``"other"``, in equal numbers.
    seed : int, optional
    **options
        ``dark_photoelectrons`` of `course_lib.simulators.daya_bay.sample`.

    Returns
    -------
    DayaBay

    Raises
    ------
    ValueError
        For bad numbers or an unknown class.

    Examples
    --------
    >>> from course_lib.data import make_daya_bay
    >>> make_daya_bay(20, seed=0).charges.shape
    (20, 8, 24)
    """
    return DayaBay(*simulator.sample(n_events, classes=classes, seed=seed, **options), simulator.CLASS_NAMES)
