"""White wines: eleven laboratory values and the mark of tasters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.data._resolution import REAL, STAND_IN, DataUnavailable, real_or_stand_in
from course_lib.simulators import wine_quality as simulator

#: Number of wines in the public table, and in the stand-in.
N_WINES = 4898

#: The stand-in is the same for everybody.
_STAND_IN_SEED = 2009


class WineQuality(NamedTuple):
    """White wines; use the fields by name.

    Attributes
    ----------
    features : numpy.ndarray, float64, shape (n, 11)
        Laboratory values in the order of `feature_names`; units in ``datasets/wine_quality/card.md``.
    quality : numpy.ndarray, int64, shape (n,)
        Mark of the tasters: 3 (bad) to 9.
    feature_names : tuple of str
    provenance : str
        ``"real"`` or ``"stand-in"``.
    """

    features: np.ndarray
    quality: np.ndarray
    feature_names: tuple
    provenance: str


def make_wine_quality(n_samples=N_WINES, *, seed=None):
    """Simulate white wines (see `course_lib.simulators.wine_quality`).

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    WineQuality
        With ``provenance == "stand-in"``.

    Examples
    --------
    >>> from course_lib.data import make_wine_quality
    >>> make_wine_quality(100, seed=1).features.shape
    (100, 11)
    """
    features, quality = simulator.sample(n_samples, seed=seed)
    return WineQuality(features, quality, simulator.FEATURE_NAMES, STAND_IN)


def _read(path):
    try:
        table = np.genfromtxt(path, delimiter=";", skip_header=1)
    except ValueError as error:
        raise DataUnavailable(f"{path} is not a table of numbers: {error}") from error
    if table.shape != (N_WINES, 12) or not np.isfinite(table).all():
        raise DataUnavailable(f"{path} must be a full table of {N_WINES} x 12 numbers, got {table.shape}")
    return WineQuality(table[:, :11].copy(), table[:, 11].astype(np.int64), simulator.FEATURE_NAMES, REAL)


def fetch_wine_quality(*, stand_in=None):
    """Get the public table of 4898 Portuguese white wines, or its announced stand-in.

    Parameters
    ----------
    stand_in : bool, optional
        None: simulate only if the file cannot be had. True: simulate at once. False: never simulate, raise.

    Returns
    -------
    WineQuality
        4898 wines in the order of the file; 937 rows of the real table repeat another row exactly.

    Warns
    -----
    StandInNotice
        When the wines are simulated.

    Raises
    ------
    DataUnavailable
        With ``stand_in=False``, when the file cannot be had.

    Examples
    --------
    >>> import warnings
    >>> from course_lib.data import fetch_wine_quality
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     wines = fetch_wine_quality(stand_in=True)
    >>> wines.features.shape, wines.provenance
    ((4898, 11), 'stand-in')
    """
    return real_or_stand_in("wine_quality", _read, lambda: make_wine_quality(seed=_STAND_IN_SEED), stand_in=stand_in)
