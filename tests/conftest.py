"""Fixtures that several test modules share."""

import functools
import re
from pathlib import Path

import hypothesis
import pytest

from autograder.running import run_notebooks

pytest_plugins = ["jupyter_lab_fixture"]

# Examples may take as long as a busy machine needs, and a failure found once is found again.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.load_profile("course")

REPOSITORY = Path(__file__).resolve().parent.parent


#: Fixture that costs minutes -> scope of the files that use it: with two workers (make test) it is made once.
SHARED = {"executed_chapters": "chapters", "jupyter_lab": "lab"}

#: What takes longest begins first.
ORDER = ("chapters", "gate", "lab")


@functools.cache
def scope_of_file(name):
    """Return which tests a test file belongs to: those that share a costly fixture with it, else only its own."""
    text = (REPOSITORY / name).read_text("utf-8")
    return next((scope for fixture, scope in SHARED.items() if re.search(rf"\b{fixture}\b", text)), name)


def scope_of(nodeid):
    """Return the scope of a test: all tests of a scope run on one worker.

    Tests of one file share its fixtures, so they stay together, but for the gate: each problem set is a test of up to
    minutes that shares nothing.
    """
    name, _, test = nodeid.partition("::")
    return f"gate {test}" if test.startswith("test_bundled_problem_sets_pass[") else scope_of_file(name)


def pytest_collection_modifyitems(items):
    """Sort by scope, the longest first; within a scope the order stays."""
    first = {scope: number for number, scope in enumerate(ORDER)}
    items.sort(key=lambda item: first.get(scope_of(item.nodeid).split()[0], len(first)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each scope to one worker. (The plugin's own groups lose their names under pytest 9.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByScope(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return scope_of(nodeid)

    return ByScope(config, log)


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
