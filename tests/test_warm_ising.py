"""Sandboxed processes find the Ising simulator compiled, and can still compile for arrays of other kinds."""

import json
import os
import sys
from pathlib import Path

import pytest

from autograder.isolation import available
from autograder.warm_server import WarmServer
from course_lib.simulators import ising

HERE = Path(__file__).parent


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_simulator_is_ready_in_a_sandbox(tmp_path):
    preload = ("warm_server_entries", "autograder.warm_ising")
    reader, writer = os.pipe()
    with WarmServer("plain", preload=preload, search_path=[HERE]) as server:
        entry = "warm_server_entries:simulate"
        with (
            server.fork(entry, {}, descriptors={"out": writer}, folder=tmp_path, level=available().level) as process,
            os.fdopen(reader) as told,
        ):
            os.close(writer)
            text = told.read()
            process.wait(300)
    ready, total, sizes = json.loads(text)
    assert ready == [1, 1]
    spins = ising.sample(3, 2.5, size=8, seed=1)
    assert total == spins.sum()
    assert sizes == [one.tolist() for one in ising.cluster_sizes(spins[::2, ::-1, ::-1])]
