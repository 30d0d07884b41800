"""Where the checkout is, and what the doctor says of it."""

import socket
from pathlib import Path

import pytest
from rich.console import Console

from autograder import browser, doctor, lab
from autograder.errors import CourseError
from autograder.repository import find_repository

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_ROOT", raising=False)
    (tmp_path / "jupytext.toml").touch()
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_found_from_below_by_variable_and_from_anywhere(checkout, monkeypatch, tmp_path_factory):
    below = checkout / "notebooks" / "deep"
    below.mkdir()
    assert find_repository(below) == checkout
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert find_repository(elsewhere) == REPOSITORY  # this test runs from the editable installation
    monkeypatch.setenv("COURSE_ROOT", str(checkout))
    assert find_repository(elsewhere) == checkout
    monkeypatch.setenv("COURSE_ROOT", str(elsewhere))
    with pytest.raises(CourseError, match="is not a checkout of the course"):
        find_repository(checkout)


def test_lock_lists_what_this_platform_needs(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "numpy==2.1.0 \\\n    --hash=sha256:ab\n"
        "appnope==0.1 ; sys_platform == 'nowhere' \\\n    --hash=sha256:cd\n"
        "coverage[toml]==7.0 ; python_full_version >= '3.0' \\\n    --hash=sha256:ef\n"
    )
    assert doctor.read_lock(lock) == {"numpy": "2.1.0", "coverage": "7.0"}


def test_missing_lock_is_one_clear_line(tmp_path):
    with pytest.raises(CourseError, match=r"requirements.lock is missing: restore it with 'git checkout"):
        doctor.read_lock(tmp_path / "requirements.lock")


def test_the_lock_pins_everything_with_hashes_and_names_no_index():
    text = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in text
    blocks = [block for block in text.replace("\\\n", " ").splitlines() if block.strip()]
    assert len(blocks) > 100
    for block in blocks:
        assert "==" in block and "--hash=sha256:" in block, block[:80]


def test_doctor_finds_this_machine_fit():
    console = Console(record=True, width=150)
    findings = {finding.name: finding for finding in doctor.examine()}
    assert doctor.report(console), console.export_text()
    assert findings["packages"].state == "ok", findings["packages"]


def test_doctor_says_how_to_mend_a_wrong_version_and_a_stale_notebook(checkout, monkeypatch):
    monkeypatch.setenv("COURSE_ROOT", str(checkout))
    (checkout / "requirements.lock").write_text("numpy==0.0.1 \\\n --hash=sha256:0\nnot-there-at-all==1 \\\n")
    (checkout / "notebooks" / "index.md").write_text("no header")
    findings = {finding.name: finding for finding in doctor.examine()}
    packages = findings["packages"]
    assert packages.state == "missing" and "instead of 0.0.1" in packages.seen
    assert "not-there-at-all is not installed" in packages.seen and "make environment" in packages.remedy
    assert findings["notebooks"].state == "missing"
    assert not doctor.report(Console(record=True, width=150))


def test_a_port_in_use_is_told_before_jupyterlab_starts():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CourseError, match=rf"Port {port} cannot be used .*course lab --port"):
            lab.lab_command(REPOSITORY, port=port)
    with pytest.raises(CourseError, match="Port 99999 cannot be used"):
        lab.check_port(99999)


def test_lab_without_a_course_map_names_the_remedy(checkout):
    with pytest.raises(CourseError, match=r"index.ipynb is missing: run 'make notebooks'"):
        lab.lab_command(checkout)


def test_a_named_browser_that_does_not_exist_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_BROWSER", str(tmp_path / "none"))
    assert browser.find_browser() is None
    (tmp_path / "chrome").touch()
    monkeypatch.setenv("COURSE_BROWSER", str(tmp_path / "chrome"))
    assert browser.find_browser() == str(tmp_path / "chrome")


def test_failed_browser_installation_names_the_command(monkeypatch):
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    monkeypatch.setattr(browser.subprocess, "run", lambda command, **_: type("Done", (), {"returncode": 7})())
    with pytest.raises(CourseError, match=r"failed with status 7.*COURSE_BROWSER"):
        browser.install_browser()
