"""Exotic Higgs decays against top pairs: simulated, or the public table of 11 million events."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import zlib
from typing import NamedTuple

import numpy as np

from course_lib.data import _resolution
from course_lib.data._resolution import REAL, STAND_IN, DataUnavailable
from course_lib.simulators import higgs_events as simulator
from course_lib.simulators._arguments import require_count

#: Events of the public table, and how many of them, at its end, are the published test set.
N_PUBLIC_EVENTS, N_PUBLIC_TEST_EVENTS = 11_000_000, 500_000

#: Stand-ins are the same for everybody: one seed for training, one for test events.
_STAND_IN_SEEDS = {"training": 2014, "test": 2015}

_ROWS_AT_ONCE = 100_000


class HiggsEvents(NamedTuple):
    """Collisions; use the fields by name.

    Attributes
    ----------
    features : numpy.ndarray, float32, shape (n, 28)
        21 low-level features, then 7 masses; names in `feature_names`. Of `make_higgs_events`: momenta and masses in
        GeV, angles in rad, tags 0 or 1. Of `fetch_higgs_events`: scaled to values near 1, see there.
    labels : numpy.ndarray, int64, shape (n,)
        1 signal, 0 top pairs.
    feature_names : tuple of str
    provenance : str
        ``"real"`` for the public table (itself a simulation, of a whole detector), or ``"stand-in"``.
    """

    features: np.ndarray
    labels: np.ndarray
    feature_names: tuple
    provenance: str


def make_higgs_events(n_events=50_000, *, seed=None, **options):
    """Simulate collisions with the features of the public HIGGS table.

    Parameters
    ----------
    n_events : int
    seed : int, optional
    **options
        ``jet_stochastic``, ``jet_constant``, ``missing_noise_gev``, ``tag_efficiency``, ``mistag_rate``,
        ``signal_fraction`` of `course_lib.simulators.higgs_events.sample`.

    Returns
    -------
    HiggsEvents
        With ``provenance == "stand-in"``.

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_higgs_events
    >>> events = make_higgs_events(100, seed=0)
    >>> events.features.shape, events.feature_names[21:23]
    ((100, 28), ('m_jj', 'm_jjj'))
    """
    features, labels = simulator.sample(n_events, seed=seed, **options)
    return HiggsEvents(features, labels, simulator.FEATURE_NAMES, STAND_IN)


def fetch_higgs_events(n_events=100_000, *, part="training", stand_in=None):
    """Get events of the public HIGGS table, or their announced stand-in.

    The first call downloads 2.8 GB (it goes on where it broke off), verifies them, and keeps a compact array of 1.3 GB
    beside them, from which later calls read only the rows asked for. ``course data fetch higgs_events`` does the
    download from the command line.

    Momenta, masses and tags are divided by their mean over the table, angles by their standard deviation: values near 1
    without units.

    Parameters
    ----------
    n_events : int
        From the beginning of the part; at most 10 500 000 for training and 500 000 for test.
    part : {"training", "test"}
        The published test set is the last half million of events.
    stand_in : bool, optional
        None: simulate only if the file cannot be had. True: simulate at once. False: never simulate, raise.

    Returns
    -------
    HiggsEvents
        Events in the order of the table.

    Warns
    -----
    StandInNotice
        When the events are simulated (`make_higgs_events`, scaled as the table is).

    Raises
    ------
    ValueError
        For more events than there are, or another part.
    DataUnavailable
        With ``stand_in=False``, when the file cannot be had.

    Examples
    --------
    >>> import warnings
    >>> from course_lib.data import fetch_higgs_events
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     events = fetch_higgs_events(1000, stand_in=True)
    >>> events.features.shape, events.provenance, round(float(events.features[:, 0].mean()), 2)
    ((1000, 28), 'stand-in', 1.0)
    """
    if part not in _STAND_IN_SEEDS:
        raise ValueError(f"part must be 'training' or 'test', got {part!r}")
    n_training = N_PUBLIC_EVENTS - N_PUBLIC_TEST_EVENTS
    most = n_training if part == "training" else N_PUBLIC_TEST_EVENTS
    if require_count("n_events", n_events) > most:
        raise ValueError(f"n_events must be at most {most}, the size of the {part} part, got {n_events}")
    first = 0 if part == "training" else n_training

    def read(path):
        rows = np.load(path, mmap_mode="r", allow_pickle=False)[first : first + n_events]
        labels = np.asarray(rows[:, 0])
        if not (np.isfinite(rows).all() and np.isin(labels, (0, 1)).all()):
            raise DataUnavailable(
                f"{path} holds something else than numbers and labels 0 and 1: delete it and call again."
            )
        return HiggsEvents(rows[:, 1:].copy(), labels.astype(np.int64), simulator.FEATURE_NAMES, REAL)

    def simulate():
        events = make_higgs_events(n_events, seed=_STAND_IN_SEEDS[part])
        return events._replace(features=_scaled(events.features))

    return _resolution.real_or_stand_in(
        "higgs_events", read, simulate, stand_in=stand_in, find=lambda: [_compact_table()]
    )


def _scaled(features):
    """Momenta, masses and tags divided by their mean, angles by their standard deviation, as in the public table."""
    angle = np.array([name.endswith(("eta", "phi")) for name in simulator.FEATURE_NAMES])
    scale = np.where(angle, features.std(axis=0, dtype=float), features.mean(axis=0, dtype=float))
    return (features / np.where(scale > 0, scale, 1.0)).astype(np.float32)


def _compact_table():
    """Path of the table as a float32 array (N_PUBLIC_EVENTS, 29), made from the verified text if it is not there."""
    name = "higgs_events/higgs_events.npy"
    administrator = _resolution.administrator_folder()
    in_cache = _resolution.cache_folder() / name
    # Only the form is checked, not each byte: hashing 1.3 GB at every call takes seconds, and the array is never seen
    # under this name before it is complete.
    for path in [in_cache] if administrator is None else [administrator / name, in_cache]:
        if _is_compact_table(path):
            return path
    text = _resolution.resolve("higgs_events/HIGGS.csv.gz")
    # Begins with "tmp", so that a later call clears it away if this one is killed.
    unfinished = in_cache.with_name(f"tmp_higgs_events_{os.getpid()}.npy")
    try:
        in_cache.parent.mkdir(parents=True, exist_ok=True)
        _resolution.remove_abandoned_downloads(in_cache.parent)
        _convert(text, unfinished)
        os.replace(unfinished, in_cache)
    except OSError as error:
        raise DataUnavailable(
            f"{text} cannot be turned into the array {in_cache} of {116e-9 * N_PUBLIC_EVENTS:.1f} GB: {error}"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return in_cache


def _is_compact_table(path):
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):  # absent, cut off, or no array
        return False
    return array.shape == (N_PUBLIC_EVENTS, 1 + len(simulator.FEATURE_NAMES)) and array.dtype == np.float32


def _convert(text, target):
    """Read the packed text in pieces and write them one behind the other: 100 MB of memory, some minutes."""
    shape = N_PUBLIC_EVENTS, 1 + len(simulator.FEATURE_NAMES)
    try:
        with gzip.open(text, "rb") as packed, open(target, "wb") as output:
            np.lib.format.write_array_header_1_0(output, {"descr": "<f4", "fortran_order": False, "shape": shape})
            lines = io.TextIOWrapper(packed, encoding="ascii")
            for start in range(0, shape[0], _ROWS_AT_ONCE):
                n_rows = min(_ROWS_AT_ONCE, shape[0] - start)
                rows = np.loadtxt(lines, delimiter=",", dtype="<f4", max_rows=n_rows, ndmin=2)
                if rows.shape != (n_rows, shape[1]):
                    raise DataUnavailable(f"{text} ends after {start + len(rows)} of {shape[0]} events")
                output.write(rows.tobytes())
            if lines.readline().strip():
                raise DataUnavailable(f"{text} holds more than {shape[0]} events")
    except (ValueError, EOFError, zlib.error) as error:
        raise DataUnavailable(f"{text} is not a packed table of {shape[1]} numbers a row: {error}") from error
