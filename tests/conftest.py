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


#: Fixture that costs minutes -> group of the tests that share it: with two workers (make test) it is made once.
SHARED = {"executed_chapters": "chapters", "site": "chapters", "jupyter_lab": "lab"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Say which tests stay together on one worker, and begin with what takes longest.

    Tests of one module share its fixtures, so they stay together, but for the gate: each problem set is a test of
    several minutes that shares nothing.
    """
    order = {"chapters": 0, "gate": 1, "lab": 2}
    groups = {}
    for item in items:
        shared = {SHARED[name] for name in getattr(item, "fixturenames", ()) if name in SHARED}
        group = min(shared, default=item.nodeid.split("::")[0])
        if item.name.startswith("test_bundled_problem_sets_pass"):
            group = f"gate {item.name}"
        item.add_marker(pytest.mark.xdist_group(group))
        groups[item] = group
    items.sort(key=lambda item: order.get(groups[item].split()[0], 3))  # stable: else as collected


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
