"""Finding, downloading and verifying real data files, against a local HTTP server."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import pickle
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from autograder import data_command
from course_lib.data import _resolution, student_name, student_seed
from course_lib.data._resolution import DataUnavailable, RegisteredFile, StandInNotice

REAL_WINE = Path(__file__).resolve().parents[2] / "shared" / "data" / "winequality-white.csv"
HTML = b"<!DOCTYPE html><html><body>Please log in to the campus network</body></html>"


def payload():
    """The real wine file when this machine has it, else bytes of the same kind and size."""
    if REAL_WINE.is_file():
        return REAL_WINE.read_bytes()
    rows = np.random.default_rng(1).normal(size=(3000, 12))
    return b"\n".join(";".join(f"{x:.4f}" for x in row).encode() for row in rows)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content, status, length = payload(), 200, None
        self.server.paths.append(self.path)
        if self.path == "/html":
            content = HTML
        elif self.path == "/missing":
            status, content = 404, b"not here"
        elif self.path == "/wrong":
            content = content[:-1] + b"#"
        elif self.path == "/truncated":
            length, content = len(content), content[: len(content) // 2]
        elif self.path == "/broken_once" and self.server.paths.count(self.path) == 1:
            length, content = len(content), content[:1000]
        elif self.path == "/slow":
            time.sleep(2.0)
        begin = 0
        if self.path.startswith("/large"):
            self.server.ranges.append(self.headers.get("Range"))
            if self.headers.get("Range") and self.path != "/large_without_range":
                begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                status, content = 206, content[begin:]
            elif len(self.server.ranges) == 1 and self.path != "/large_at_once":
                length, content = len(content), content[: len(content) // 2]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{begin + len(content) - 1}/{begin + len(content)}")
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may hang up before everything is sent
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    instance = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    instance.paths, instance.ranges = [], []
    threading.Thread(target=instance.serve_forever, args=(0.02,), daemon=True).start()
    yield instance
    instance.shutdown()
    instance.server_close()


@pytest.fixture
def place(monkeypatch, tmp_path, server):
    """A registry with one file whose URL ends as the test wants; returns (register, cache, server)."""
    for variable in ("COURSE_DATA_DIR", "COURSE_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    cache = tmp_path / "cache"
    monkeypatch.setattr(_resolution, "cache_folder", lambda: cache)
    server.paths.clear()
    server.ranges.clear()

    def register(route, *, url=None, filename="wine.csv", content=None, n_bytes=None):
        digest = hashlib.sha256(payload() if content is None else content).hexdigest()
        address = url or f"http://127.0.0.1:{server.server_address[1]}{route}"
        entry = RegisteredFile("wine", filename, digest, address, n_bytes)
        monkeypatch.setattr(_resolution, "registry", lambda: {entry.key: entry})
        return entry

    return register, cache, server


def all_files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def test_downloads_once_then_uses_the_cache(place):
    register, cache, server = place
    entry = register("/ok")
    first = _resolution.resolve(entry.key)
    assert first == cache / "wine" / "wine.csv" and first.read_bytes() == payload()
    assert _resolution.resolve(entry.key) == first
    assert server.paths == ["/ok"]
    assert all_files(cache) == [first]


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("/html", "web page instead of the file"),
        ("/missing", "answered 404"),
        ("/wrong", "SHA-256 differs"),
        ("/truncated", "broke off"),
    ],
)
def test_a_bad_answer_is_one_clear_error_and_leaves_nothing(place, route, message):
    register, cache, _ = place
    entry = register(route)
    with pytest.raises(DataUnavailable, match=message):
        _resolution.resolve(entry.key)
    assert all_files(cache) == []


def test_a_broken_download_restarts_cleanly(place):
    register, cache, _ = place
    entry = register("/broken_once")
    with pytest.raises(DataUnavailable, match="broke off"):
        _resolution.resolve(entry.key)
    assert _resolution.resolve(entry.key).read_bytes() == payload()
    assert len(all_files(cache)) == 1


# ---- large files


@pytest.mark.parametrize("route", ["/large", "/large_without_range"])
def test_a_large_download_goes_on_where_it_broke_off(place, route):
    register, cache, server = place
    entry = register(route, n_bytes=len(payload()))
    with pytest.raises(DataUnavailable, match="broke off; what has come is kept"):
        _resolution.resolve(entry.key)
    (part,) = all_files(cache)
    assert part.name == "wine.csv.part" and part.read_bytes() == payload()[: part.stat().st_size]
    assert len(payload()) // 2 - 2**16 < part.stat().st_size <= len(payload()) // 2
    n_had = part.stat().st_size
    # A server that cannot resume sends everything once more.
    assert _resolution.resolve(entry.key).read_bytes() == payload()
    assert server.ranges == [None, f"bytes={n_had}-"]
    assert [path.name for path in all_files(cache)] == ["wine.csv"]
    _resolution.resolve(entry.key)
    assert len(server.ranges) == 2


@pytest.mark.parametrize(
    ("begun", "route", "message"),
    [(b"", "/html", "web page"), (b"begun", "/html", "web page"), (b"", "/missing", "answered 404")],
)
def test_a_bad_answer_takes_nothing_from_a_large_download(place, begun, route, message):
    register, cache, _ = place
    entry = register(route, n_bytes=len(payload()))
    part = cache / "wine" / "wine.csv.part"
    part.parent.mkdir(parents=True)
    if begun:
        part.write_bytes(begun)
    with pytest.raises(DataUnavailable, match=message):
        _resolution.resolve(entry.key)
    assert [path.read_bytes() for path in all_files(cache)] == ([begun] if begun else [])


@pytest.mark.parametrize("begun", [0, 1000])
def test_a_large_file_with_a_wrong_checksum_is_deleted(place, begun):
    register, cache, _ = place
    entry = register("/large_at_once", n_bytes=len(payload()))
    part = cache / "wine" / "wine.csv.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(len(payload()) if begun else 1000))  # complete or not, but something else
    with pytest.raises(DataUnavailable, match="SHA-256 differs"):
        _resolution.resolve(entry.key)
    assert all_files(cache) == []


def test_a_large_file_needs_its_space_and_one_process(place, monkeypatch):
    register, cache, server = place
    entry = register("/large_at_once", n_bytes=len(payload()))
    with monkeypatch.context() as small_disk:
        small_disk.setattr(_resolution.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
        with pytest.raises(DataUnavailable, match="free some and call again"):
            _resolution.resolve(entry.key)
    assert server.paths == []
    if sys.platform != "win32":
        import fcntl

        with open(cache / "wine" / "wine.csv.part", "ab") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(DataUnavailable, match="another process"):
                _resolution.resolve(entry.key)
    assert _resolution.resolve(entry.key).read_bytes() == payload()


def test_the_command_fetches_large_files_only_by_name(place):
    register, cache, server = place
    entry = register("/large_at_once", n_bytes=len(payload()))
    everything = CliRunner().invoke(data_command.app, ["fetch"])
    assert everything.exit_code == 0 and "fetched only by" in everything.output and server.paths == []
    named = CliRunner().invoke(data_command.app, ["fetch", "wine"])
    assert named.exit_code == 0, named.output
    assert (cache / entry.key).is_file()


def test_a_silent_server_times_out(place, monkeypatch):
    register, cache, _ = place
    monkeypatch.setattr(_resolution, "TIMEOUT_S", 0.3)
    entry = register("/slow")
    with pytest.raises(DataUnavailable, match=r"did not answer within 0\.3 s"):
        _resolution.resolve(entry.key)
    assert all_files(cache) == []


def test_a_proxy_that_refuses_is_named(place, monkeypatch):
    register, _, _ = place
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    entry = register("", url="http://data.invalid/wine.csv")
    with pytest.raises(DataUnavailable, match="proxy"):
        _resolution.resolve(entry.key)


def test_no_network_is_named(place):
    register, _, _ = place
    entry = register("", url="http://127.0.0.1:9/wine.csv")
    with pytest.raises(DataUnavailable, match="cannot be reached"):
        _resolution.resolve(entry.key)


def test_offline_switch_forbids_the_attempt(place, monkeypatch):
    register, _, server = place
    entry = register("/ok")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(DataUnavailable, match="COURSE_OFFLINE"):
        _resolution.resolve(entry.key)
    assert server.paths == []


def test_a_damaged_cached_file_is_replaced(place):
    register, cache, server = place
    entry = register("/ok")
    damaged = cache / "wine" / "wine.csv"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(payload()[:100])
    assert _resolution.resolve(entry.key).read_bytes() == payload()
    assert server.paths == ["/ok"]


def test_a_damaged_cached_file_is_deleted_even_when_the_download_fails(place):
    register, cache, _ = place
    entry = register("/missing")
    damaged = cache / "wine" / "wine.csv"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"half")
    with pytest.raises(DataUnavailable):
        _resolution.resolve(entry.key)
    assert all_files(cache) == []


def test_an_unwritable_cache_is_named(place, monkeypatch, tmp_path):
    register, _, _ = place
    entry = register("/ok")
    # A file where the folder should be is refused to root, too, which a permission bit is not.
    (tmp_path / "blocked").write_text("")
    monkeypatch.setattr(_resolution, "cache_folder", lambda: tmp_path / "blocked")
    with pytest.raises(DataUnavailable, match="cannot be written"):
        _resolution.resolve(entry.key)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX resource limit")
def test_a_full_disk_is_named_and_leaves_nothing(place, tmp_path):
    _, _, server = place
    cache = tmp_path / "full"
    script = f"""
        import pathlib, resource, signal
        from course_lib.data import _resolution
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        cache = pathlib.Path({str(cache)!r})
        entry = _resolution.RegisteredFile(
            "wine", "wine.csv", {hashlib.sha256(payload()).hexdigest()!r},
            "http://127.0.0.1:{server.server_address[1]}/ok")
        _resolution.registry = lambda: {{entry.key: entry}}
        _resolution.cache_folder = lambda: cache
        import pooch, requests, tqdm  # compiled before the limit holds
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            _resolution.resolve(entry.key)
        except _resolution.DataUnavailable as error:
            print("clear:", error)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={k: v for k, v in os.environ.items() if "proxy" not in k.lower()},
    )
    assert "clear: no space left" in result.stdout
    assert all_files(cache) == []


@pytest.mark.parametrize("relative", ["wine/wine.csv", "wine.csv"])
def test_the_administrators_folder_comes_first(place, monkeypatch, tmp_path, relative):
    register, cache, server = place
    entry = register("/ok")
    given = tmp_path / "given" / relative
    given.parent.mkdir(parents=True)
    given.write_bytes(payload())
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "given"))
    assert _resolution.resolve(entry.key) == given
    assert server.paths == [] and not cache.exists()


def test_a_wrong_file_of_the_administrator_is_ignored_with_a_warning_and_kept(place, monkeypatch, tmp_path):
    register, cache, _ = place
    entry = register("/ok")
    wrong = tmp_path / "wine.csv"
    wrong.write_bytes(b"something else")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    with pytest.warns(UserWarning, match="not the registered"):
        found = _resolution.resolve(entry.key)
    assert found == cache / "wine" / "wine.csv" and wrong.read_bytes() == b"something else"


def test_two_processes_at_once_both_get_the_file(place):
    register, cache, _ = place
    entry = register("/ok")
    results = []
    threads = [threading.Thread(target=lambda: results.append(_resolution.resolve(entry.key))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4 and all(path.read_bytes() == payload() for path in results)
    assert len(all_files(cache)) == 1


def test_abandoned_temporary_files_go_and_running_ones_stay(place):
    register, cache, _ = place
    entry = register("/ok")
    folder = cache / "wine"
    folder.mkdir(parents=True)
    (folder / "tmpold").write_bytes(b"x")
    os.utime(folder / "tmpold", (time.time() - 2 * 86_400,) * 2)
    (folder / "tmpnew").write_bytes(b"x")
    _resolution.resolve(entry.key)
    assert sorted(path.name for path in all_files(cache)) == ["tmpnew", "wine.csv"]


def test_stand_in_is_announced_and_never_silent(place):
    register, _, _ = place
    register("/html")
    with pytest.warns(StandInNotice, match="SIMULATED STAND-IN") as record:
        value = _resolution.real_or_stand_in("wine", lambda path: "real", lambda: "simulated")
    assert value == "simulated" and "web page" in str(record[0].message)
    with pytest.raises(DataUnavailable):
        _resolution.real_or_stand_in("wine", lambda path: "real", lambda: "simulated", stand_in=False)


def test_real_data_come_without_a_notice(place):
    register, _, _ = place
    register("/ok")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _resolution.real_or_stand_in("wine", lambda path: path.name, lambda: None) == "wine.csv"
    with pytest.warns(StandInNotice, match="you asked for it"):
        assert _resolution.real_or_stand_in("wine", lambda path: 1, lambda: 2, stand_in=True) == 2


def test_a_damaged_content_becomes_the_announced_stand_in(place):
    register, _, _ = place
    register("/ok", filename="wine.npz")
    with pytest.warns(StandInNotice, match=r"not a readable \.npz"):
        value = _resolution.real_or_stand_in(
            "wine", lambda path: _resolution.read_npz(path, ["x"]), lambda: "simulated"
        )
    assert value == "simulated"


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("pickle_was_loaded",))


def test_pickles_are_never_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("evil.npz", x=np.array([Bomb()], dtype=object))
    with pytest.raises(DataUnavailable, match="pickled"):
        _resolution.read_npz(tmp_path / "evil.npz", ["x"])
    Path("evil2.npz").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataUnavailable):
        _resolution.read_npz(tmp_path / "evil2.npz", ["x"])
    assert not Path("pickle_was_loaded").exists()


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_tar_members_are_read_and_hostile_ones_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_tar("good.tar.gz", [(tarfile.TarInfo("a/b.bin"), b"12345"), (tarfile.TarInfo("../escape"), b"bad")])
    assert _resolution.read_tar_members("good.tar.gz", ["a/b.bin"]) == {"a/b.bin": b"12345"}
    assert not (tmp_path.parent / "escape").exists() and not (tmp_path / "a").exists()
    with pytest.raises(DataUnavailable, match="at most 4 bytes"):
        _resolution.read_tar_members("good.tar.gz", ["a/b.bin"], max_bytes=4)
    with pytest.raises(DataUnavailable, match="lacks the members"):
        _resolution.read_tar_members("good.tar.gz", ["a/c.bin"])
    link = tarfile.TarInfo("a/b.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    write_tar("link.tar.gz", [(link, b"")])
    with pytest.raises(DataUnavailable, match="not a plain file"):
        _resolution.read_tar_members("link.tar.gz", ["a/b.bin"])
    Path("cut.tar.gz").write_bytes(Path("good.tar.gz").read_bytes()[:60])
    with pytest.raises(DataUnavailable):
        _resolution.read_tar_members("cut.tar.gz", ["a/b.bin"])


def test_unpacking_is_limited(tmp_path):
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(10**6)))
    assert len(_resolution.read_gzip(bomb)) == 10**6
    with pytest.raises(DataUnavailable, match="more than 1000 bytes"):
        _resolution.read_gzip(bomb, max_bytes=1000)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(10**6))
    with pytest.raises(DataUnavailable, match="unpacks to"):
        _resolution.read_npz(tmp_path / "bomb.npz", ["x"], max_bytes=1000)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"0123456789" * 100)[:20])
    with pytest.raises(DataUnavailable, match="readable gzip"):
        _resolution.read_gzip(tmp_path / "cut.gz")


def test_registry_is_well_formed():
    entries = _resolution.registry().values()
    assert entries
    for entry in entries:
        assert len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef"), entry.key
        assert entry.url is None or entry.url.startswith("https://"), entry.key
        assert (_resolution.datasets_folder() / entry.dataset / "card.md").is_file(), entry.key
        if entry.url is None:
            assert _resolution.is_intact(entry, _resolution.datasets_folder() / entry.key), entry.key


def test_student_seed_follows_the_student_and_not_the_machine(monkeypatch):
    for variable in ("COURSE_STUDENT", "JUPYTERHUB_USER", "NB_USER"):
        monkeypatch.delenv(variable, raising=False)
    assert 0 <= student_seed() < 2**31
    monkeypatch.setenv("NB_USER", "jovyan")
    monkeypatch.setenv("JUPYTERHUB_USER", "Noether")
    working = student_seed()
    monkeypatch.setenv("JUPYTERHUB_USER", "grader")
    monkeypatch.setenv("COURSE_STUDENT", "noether")
    assert student_name() == "noether" and student_seed() == working == student_seed("NOETHER ")
    # An independent computation of the published rule keeps the seeds the same in later years.
    digest = hashlib.sha256(b"deep-learning-for-physics:noether").hexdigest()
    assert working == int(digest[:8], 16) // 2
    names = [f"student{i}" for i in range(2000)]
    assert len({student_seed(name) for name in names}) == len(names)
    with pytest.raises(ValueError, match="must not be empty"):
        student_seed("  ")


def test_command_lists_fetches_verifies_and_shows_paths(place):
    register, cache, _ = place
    entry = register("/ok")
    runner = CliRunner()
    listed = runner.invoke(data_command.app, ["list"])
    assert listed.exit_code == 0 and "wine_quality" in listed.output
    fetched = runner.invoke(data_command.app, ["fetch"])
    assert fetched.exit_code == 0, fetched.output
    assert (cache / entry.key).is_file()
    verified = runner.invoke(data_command.app, ["verify"])
    assert verified.exit_code == 0 and "1 files checked, 0 not" in verified.output
    (cache / entry.key).write_bytes(b"damage")
    damaged = runner.invoke(data_command.app, ["verify"])
    assert damaged.exit_code == 1 and "DAMAGED" in damaged.output
    assert str(cache) in runner.invoke(data_command.app, ["path"]).output
    unknown = runner.invoke(data_command.app, ["fetch", "no_such_set"])
    assert unknown.exit_code == 2 and "no_such_set" in unknown.output


def test_command_reports_a_failed_download(place):
    register, _, _ = place
    register("/missing")
    result = CliRunner().invoke(data_command.app, ["fetch", "wine"])
    assert result.exit_code == 1 and "404" in result.output
