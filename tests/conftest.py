"""Fixtures that several test modules share."""

from pathlib import Path

import hypothesis
import pytest

from autograder.running import run_notebooks

pytest_plugins = ["jupyter_lab_fixture"]

# Examples may take as long as a busy machine needs, and a failure found once is found again.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.load_profile("course")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository():
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def executed_chapters(tmp_path_factory):
    """All notebooks of the course, executed as students get them: name -> `autograder.running.RunResult`."""
    results = run_notebooks(REPOSITORY, output_folder=tmp_path_factory.mktemp("executed"))
    for result in results:
        print(f"{result.name}: {result.seconds:.0f} s, {result.peak_megabytes:.0f} MB")
    return {result.name: result for result in results}
