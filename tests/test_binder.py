"""What Binder and conda will build, checked without Docker."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory):
    """The Dockerfile that repo2docker would build from a clean checkout."""
    clone = tmp_path_factory.mktemp("binder") / "course"
    # Only what git knows: .venv and _build stay out, as they do on Binder.
    files = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in files.decode().split("\0"):
        if name and (REPOSITORY / name).is_file():
            target = clone / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((REPOSITORY / name).read_bytes())
            target.chmod((REPOSITORY / name).stat().st_mode)
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(clone)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_repo2docker_uses_the_binder_folder(dockerfile):
    assert "./binder/postBuild" in dockerfile
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in dockerfile
    assert "binder/environment.yml" in dockerfile


def test_post_build_installs_the_lock_with_its_hashes():
    script = (REPOSITORY / "binder" / "postBuild").read_text()
    assert "--require-hashes -r requirements.lock" in script and "set -euo pipefail" in script


def test_start_opens_the_course_map_and_then_runs_what_binder_asks_for(tmp_path):
    done = subprocess.run(
        [
            str(REPOSITORY / "binder" / "start"),
            sys.executable,
            "-c",
            "import os; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])",
        ],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0 and done.stdout == "3\n"
    assert "/lab/tree/notebooks/index.ipynb" in (tmp_path / ".jupyter" / "jupyter_server_config.json").read_text()
    assert (REPOSITORY / "notebooks" / "index.ipynb").is_file()


def test_both_environments_ask_for_a_python_that_the_package_supports():
    for name in ("environment.yml", "binder/environment.yml"):
        assert re.search(r"python=3\.1[123]\b", (REPOSITORY / name).read_text())
