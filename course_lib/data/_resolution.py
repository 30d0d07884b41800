"""Where real data files come from, and what happens when they cannot be had.

A named real data set is looked for in this order:

1. ``COURSE_DATA_DIR``, a folder that an administrator fills once for everybody (``<set>/<file>`` or just
   ``<file>``; never written to);
2. the user's cache (`cache_folder`);
3. a download into that cache (skipped when ``COURSE_OFFLINE`` is set).

Every file must match the SHA-256 in ``datasets/registry.txt``, wherever it comes from. If none of the three
works, the ``fetch_*`` functions announce it (`StandInNotice`) and return a simulated stand-in of the same
shape, marked ``provenance == "stand-in"``.

Nothing is ever unpickled, and archives are read member by member into memory instead of being unpacked, so
that a manipulated archive can neither run code nor write outside its folder.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import tarfile
import time
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

#: Values of the ``provenance`` field of fetched data sets.
REAL = "real"
STAND_IN = "stand-in"

#: Seconds without an answer after which a server counts as not reachable.
TIMEOUT_S = 10

#: No file of the course is larger unpacked; a bigger one is not ours.
MAX_UNPACKED_BYTES = 512 * 2**20


class StandInNotice(UserWarning):
    """You are working with simulated data because the real file could not be had."""


class DataUnavailable(RuntimeError):
    """A real data file could not be had from any source; the message says why and what to do."""


@dataclass(frozen=True)
class RegisteredFile:
    """One line of ``datasets/registry.txt``."""

    dataset: str
    filename: str
    sha256: str
    url: str | None
    n_bytes: int | None = None  # only of large files, which are fetched when named and go on where they broke off

    @property
    def key(self):
        """Name in the registry and relative path in every data folder."""
        return f"{self.dataset}/{self.filename}"


def datasets_folder():
    """Folder with the cards, the registry and the bundled files: in the checkout or in the installed wheel."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def cache_folder():
    """The folder of this user in which downloads are kept (not created here)."""
    import platformdirs

    return platformdirs.user_cache_path("deep-learning-for-physics", appauthor=False)


def administrator_folder():
    """The folder named by ``COURSE_DATA_DIR``, or None."""
    value = os.environ.get("COURSE_DATA_DIR", "").strip()
    return Path(value).expanduser() if value else None


@cache
def registry():
    """All registered files.

    Returns
    -------
    dict of str to RegisteredFile
        By ``"<set>/<file>"``.

    Examples
    --------
    >>> from course_lib.data._resolution import registry
    >>> registry()["wine_quality/winequality-white.csv"].sha256[:8]
    '76c3f809'
    """
    files = {}
    for line in (datasets_folder() / "registry.txt").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        dataset, _, filename = fields[0].rpartition("/")
        url = fields[2] if len(fields) > 2 else None
        n_bytes = int(fields[3]) if len(fields) > 3 else None
        files[fields[0]] = RegisteredFile(dataset, filename, fields[1].lower(), url, n_bytes)
    return files


def files_of(dataset):
    """Registered files of one data set, in the order of the registry; empty for sets computed on the spot."""
    return [entry for entry in registry().values() if entry.dataset == dataset]


def sha256_of(path):
    """SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_intact(entry, path):
    """Whether the file at `path` exists, can be read and has the registered checksum."""
    try:
        return sha256_of(path) == entry.sha256
    except OSError:
        return False


def local_candidates(entry):
    """Places where a copy may already lie: (label, path), best first."""
    if entry.url is None:
        return [("bundled", datasets_folder() / entry.key)]
    candidates = []
    administrator = administrator_folder()
    if administrator is not None:
        candidates += [
            ("COURSE_DATA_DIR", administrator / entry.key),
            ("COURSE_DATA_DIR", administrator / entry.filename),
        ]
    candidates.append(("cache", cache_folder() / entry.key))
    return candidates


def resolve(key):
    """Find or download one registered file.

    Parameters
    ----------
    key : str
        ``"<set>/<file>"`` as in ``datasets/registry.txt``.

    Returns
    -------
    pathlib.Path
        A file whose SHA-256 was checked in this call.

    Raises
    ------
    KeyError
        For a name that is not registered.
    DataUnavailable
        When no source has the file; the message gives the reason and the ways out.

    Examples
    --------
    >>> from course_lib.data._resolution import resolve
    >>> resolve("no_such/file.csv")
    Traceback (most recent call last):
    ...
    KeyError: "no registered file is called 'no_such/file.csv'; see datasets/registry.txt"
    """
    try:
        entry = registry()[key]
    except KeyError:
        raise KeyError(f"no registered file is called {key!r}; see datasets/registry.txt") from None
    for label, path in local_candidates(entry):
        if is_intact(entry, path):
            return path
        if not path.is_file():
            continue
        if label == "cache":
            # Nobody else writes there: a wrong checksum is damage, and a fresh copy repairs it.
            _delete(path)
        else:
            warnings.warn(
                f"{path} is not the registered {entry.key} (its SHA-256 differs) and is ignored; "
                "the owner of that folder should replace it.",
                stacklevel=3,
            )
    if entry.url is None:
        raise DataUnavailable(
            f"{entry.key} comes with the course but is missing or damaged here: install the course again."
        )
    if os.environ.get("COURSE_OFFLINE", "").strip():
        raise DataUnavailable(f"{entry.key} is not on this machine, and COURSE_OFFLINE forbids downloads.")
    return _download(entry)


def _delete(path):
    try:
        path.unlink()
    except OSError as error:
        raise DataUnavailable(
            f"{path} is damaged and cannot be deleted ({error.strerror}): remove it by hand."
        ) from error


def _download(entry):
    import pooch

    # Its lines would stand red in a notebook; what matters is in the notice or the error.
    pooch.get_logger().setLevel("WARNING")
    target = cache_folder() / entry.key
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned_downloads(target.parent)
        if entry.n_bytes is not None:
            _download_large(entry, target)
            return target
        # pooch writes to a temporary file next to the target, checks it, and only then renames it.
        pooch.retrieve(
            entry.url,
            known_hash=f"sha256:{entry.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=_stream_to_file,
        )
    except DataUnavailable:
        raise
    except OSError as error:
        raise DataUnavailable(_explain_os_error(entry, target, error)) from error
    except ValueError as error:
        raise DataUnavailable(
            f"what {entry.url} sent is not the registered {entry.key} (its SHA-256 differs), so it was deleted. "
            "The server may have changed the file, or something on the way altered it."
        ) from error
    return target


def _explain_os_error(entry, target, error):
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"no space left to store {entry.key} in {target.parent}: free some and call again."
    if error.errno is not None and error.filename is not None:
        return (
            f"the cache folder {target.parent} cannot be written ({error.strerror}): mend its permissions, "
            "or ask your administrator to provide the files in COURSE_DATA_DIR."
        )
    return f"{entry.url} could not be downloaded: {error}"


def remove_abandoned_downloads(folder):
    """Temporary files of downloads that were killed more than a day ago (younger ones may be running)."""
    for path in folder.glob("tmp*"):
        if path.is_file() and time.time() - path.stat().st_mtime > 86_400:
            path.unlink(missing_ok=True)


def _stream_to_file(url, output_file, _pooch):
    """Download with pooch, with our messages."""
    import importlib.util

    import pooch

    download = pooch.HTTPDownloader(
        timeout=TIMEOUT_S,
        progressbar=importlib.util.find_spec("tqdm") is not None,
        # Without this a server may send a .gz file as "encoded" and requests would unpack it.
        headers={"Accept-Encoding": "identity"},
    )
    with _explained(url, "the partial file was deleted"):
        download(url, output_file, None)
    with open(output_file, "rb") as stream:
        _refuse_web_page(url, stream.read(512))


@contextlib.contextmanager
def _explained(url, fate):
    """Turn every way in which a network fails into one sentence for students."""
    import requests

    try:
        yield
    except requests.exceptions.ProxyError as error:
        raise DataUnavailable(
            f"the proxy of this network did not let {url} through; check HTTPS_PROXY with your administrator."
        ) from error
    except requests.exceptions.HTTPError as error:
        raise DataUnavailable(f"{url} answered {error.response.status_code} {error.response.reason}.") from error
    except requests.exceptions.Timeout as error:
        raise DataUnavailable(f"{url} did not answer within {TIMEOUT_S} s.") from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise DataUnavailable(f"the connection to {url} broke off; {fate}.") from error
    except requests.exceptions.RequestException as error:
        raise DataUnavailable(f"{url} cannot be reached (no network?).") from error


def _refuse_web_page(url, beginning):
    if beginning.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise DataUnavailable(
            f"{url} sent a web page instead of the file, probably a login or error page of this network; "
            "log in to the network in a browser and call again."
        )


def _download_large(entry, target):
    """Download into ``<name>.part`` and go on from its end if it is there; rename it when its checksum is right.

    pooch always begins anew, which for some gigabytes on a wireless network may never end.
    """
    import requests

    part = target.with_name(target.name + ".part")
    n_had = part.stat().st_size if part.is_file() else 0
    n_free = shutil.disk_usage(target.parent).free
    if n_free < entry.n_bytes - n_had:
        raise DataUnavailable(
            f"{entry.key} has {entry.n_bytes / 1e9:.1f} GB, but only {n_free / 1e9:.1f} GB are free in "
            f"{target.parent}: free some and call again."
        )
    try:
        with open(part, "ab") as output:
            _lock(output, entry)
            n_had = os.fstat(output.fileno()).st_size
            if n_had < entry.n_bytes:
                headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={n_had}-"} if n_had else {})
                with (
                    _explained(entry.url, "what has come is kept: call again to go on"),
                    requests.get(entry.url, headers=headers, stream=True, timeout=TIMEOUT_S) as response,
                ):
                    response.raise_for_status()
                    _append(entry, response, output, n_had)
        n_bytes = part.stat().st_size
        if n_bytes < entry.n_bytes:
            raise DataUnavailable(
                f"{entry.url} sent {n_bytes} of {entry.n_bytes} bytes; they are kept: call again to go on."
            )
        if not is_intact(entry, part):
            part.unlink()
            raise DataUnavailable(
                f"what {entry.url} sent is not the registered {entry.key} (its SHA-256 differs), so it was deleted. "
                "The server may have changed the file, or something on the way altered it."
            )
        os.replace(part, target)
    finally:
        if part.is_file() and part.stat().st_size == 0:
            part.unlink()


def _append(entry, response, output, n_had):
    """Write the answer of the server behind what is there, or from the beginning if the server cannot resume."""
    import importlib.util

    pieces = response.iter_content(2**16)  # a piece that is not complete is lost
    first = next(pieces, b"")
    _refuse_web_page(entry.url, first[:512])  # before anything of the file is given up
    resumed = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {n_had}-")
    if not resumed:
        output.truncate(0)
    progress = contextlib.nullcontext()
    if importlib.util.find_spec("tqdm") is not None:
        tqdm = importlib.import_module("tqdm.auto").tqdm
        progress = tqdm(total=entry.n_bytes, initial=n_had if resumed else 0, unit="B", unit_scale=True)
    with progress as bar:
        while first:
            output.write(first)
            if bar is not None:
                bar.update(len(first))
            first = next(pieces, b"")


def _lock(output, entry):
    """Two processes that append to one file would spoil it."""
    try:
        import fcntl
    except ImportError:  # Windows: the checksum finds what went wrong
        return
    try:
        fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DataUnavailable(f"{entry.key} is being downloaded by another process: wait for it.") from error


def real_or_stand_in(dataset, read, simulate, *, stand_in=None, find=None):
    """Return the real data set, or announce and return its simulated stand-in.

    Parameters
    ----------
    dataset : str
        Name as in ``datasets/``.
    read : callable
        ``read(*paths)`` makes the data set from the registered files of `dataset`, in registry order.
    simulate : callable
        ``simulate()`` makes the stand-in.
    stand_in : bool, optional
        None: only when the real files cannot be had. True: at once, without looking for files.
        False: never; then a missing file is an error.
    find : callable, optional
        ``find()`` gives the paths instead of the registered files, for a set that keeps a compact copy.

    Returns
    -------
    object
        Whatever `read` or `simulate` returns.

    Warns
    -----
    StandInNotice
        Whenever the stand-in is returned.

    Raises
    ------
    DataUnavailable
        With ``stand_in=False``, when a file cannot be had.
    """
    if stand_in:
        reason = "you asked for it with stand_in=True"
    else:
        try:
            return read(*(find() if find else (resolve(entry.key) for entry in files_of(dataset))))
        except DataUnavailable as error:
            if stand_in is False:
                raise
            reason = str(error)
    warnings.warn(
        f"{dataset}: SIMULATED STAND-IN, not the real data. Reason: {reason} "
        f"Shapes and columns are those of the real set, results are not; datasets/{dataset}/card.md says how "
        f"they differ. For the real data: `course data fetch {dataset}`.",
        StandInNotice,
        stacklevel=3,
    )
    return simulate()


def read_gzip(path, *, max_bytes=MAX_UNPACKED_BYTES):
    """Unpack one gzip file into memory.

    Raises
    ------
    DataUnavailable
        For a damaged file or more than `max_bytes` unpacked bytes.
    """
    try:
        with gzip.open(path, "rb") as stream:
            content = stream.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnavailable(f"{path} is not a readable gzip file ({error}): delete it and call again.") from error
    if len(content) > max_bytes:
        raise DataUnavailable(f"{path} unpacks to more than {max_bytes} bytes; this is not a file of the course.")
    return content


def read_tar_members(path, names, *, max_bytes=MAX_UNPACKED_BYTES):
    """Read named members of a tar archive into memory; nothing is unpacked to disk.

    Parameters
    ----------
    path : path-like
        A tar archive, compressed or not.
    names : sequence of str
        Exact member names; all others are ignored.
    max_bytes : int
        Limit for the sum of the members.

    Returns
    -------
    dict of str to bytes

    Raises
    ------
    DataUnavailable
        For a damaged archive, a missing member, a member that is not a plain file, or too many bytes.
    """
    wanted = set(names)
    contents = {}
    n_bytes = 0
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if member.name not in wanted:
                    continue
                n_bytes += member.size
                if not member.isreg() or n_bytes > max_bytes:
                    raise DataUnavailable(
                        f"{path}: member {member.name} is not a plain file of at most {max_bytes} bytes; "
                        "this is not a file of the course."
                    )
                contents[member.name] = archive.extractfile(member).read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataUnavailable(f"{path} is not a readable archive ({error}): delete it and call again.") from error
    missing = sorted(wanted - set(contents))
    if missing:
        raise DataUnavailable(f"{path} lacks the members {missing}; this is not a file of the course.")
    return contents


def read_npz(path, names, *, max_bytes=MAX_UNPACKED_BYTES):
    """Read named arrays of an ``.npz`` file, never unpickling anything.

    Returns
    -------
    dict of str to numpy.ndarray

    Raises
    ------
    DataUnavailable
        For a damaged file, a missing or pickled array, or more than `max_bytes` unpacked bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(info.file_size for info in archive.infolist())
        if n_bytes > max_bytes:
            raise DataUnavailable(f"{path} unpacks to {n_bytes} bytes; this is not a file of the course.")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DataUnavailable(f"{path} is not a readable .npz file ({error}): delete it and call again.") from error
    except KeyError as error:
        raise DataUnavailable(f"{path} lacks the array {error}; this is not a file of the course.") from error
    except ValueError as error:
        raise DataUnavailable(f"{path} holds pickled objects, which are never loaded ({error}).") from error
