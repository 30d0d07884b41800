"""Chapter 2 keeps its promises: the syllabus is covered, and the executed copy says what the text claims."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib.simulators import earthquakes

jupytext = pytest.importorskip("jupytext")

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "02_models.md"


@pytest.fixture(scope="module")
def cells():
    return jupytext.read(CHAPTER).cells


@pytest.fixture(scope="module")
def text(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("number", ["2.1", "2.2", "2.3"])
def test_every_worked_example_is_there(text, number):
    assert re.search(rf"\*\*Example {re.escape(number)}\b", text)


@pytest.mark.parametrize("name", ["DataTypes", "EarthquakeLocator", "InterpolationTraining"])
def test_every_explorable_stands_alone_in_a_cell(cells, name):
    assert any(cell.source.strip() == f"{name}()" for cell in cells if cell.cell_type == "code")


def test_the_problem_sets_of_the_chapter_are_named(text):
    from autograder.problem_sets import all_problem_sets

    names = [each.name for each in all_problem_sets() if each.name.startswith("ex02_")]
    assert names == ["ex02_1", "ex02_2"]
    assert all(f"`{name}`" in text for name in names)


def test_shapes_and_flattening_of_the_six_types(cells):
    namespace = {"np": np, "SEED": 1}
    exec(next(cell.source for cell in cells if "def flatten" in cell.source), namespace)
    batches, flatten = namespace["batches"], namespace["flatten"]
    assert len(batches) == 6
    pictures = batches["regular grid"]
    np.testing.assert_array_equal(flatten(pictures)[5], pictures[5].ravel())
    assert flatten(batches["ensemble"]).shape == (32, 12)


def test_the_four_printed_quakes(cells):
    """Known clocks bring the places to the rounding of the table, trusted clocks miss by 0.16 to 0.28 km."""
    namespace = {"np": np, "earthquakes": earthquakes}
    exec("from scipy.optimize import least_squares\nfrom types import SimpleNamespace", namespace)
    namespace["quakes"] = namespace["SimpleNamespace"](stations_km=earthquakes.STATIONS_KM)
    namespace["v_p"], namespace["v_s"] = 7.0, 5.0
    landscape = next(cell.source for cell in cells if "def chi_square" in cell.source)
    exec(landscape.split("source_km =")[0], namespace)
    exec(next(cell.source for cell in cells if "table_places_km" in cell.source), namespace)
    trusted, known = (namespace["table_error"][name] for name in ("clocks trusted", "clock offsets known"))
    np.testing.assert_allclose(trusted, [0.16, 0.28, 0.18, 0.17], atol=0.011)
    assert known.max() < 0.1
    # A quake far outside the stations is found exactly when the clocks are right.
    place_km = np.array([-38.0, 41.0])
    times_s = earthquakes.arrival_times(place_km[None], clock_offsets_s=0.0)[0]
    np.testing.assert_allclose(namespace["locate"](times_s), place_km, atol=1e-3)


@pytest.fixture(scope="module")
def printed(executed_chapters):
    """All that the executed chapter printed."""
    cells = nbformat.read(executed_chapters["02_models"].executed_copy, as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.text for output in outputs if output.get("name") == "stdout")


def number_after(printed, start, unit):
    return float(re.search(rf"{re.escape(start)}[^\n]*?([\d.]+) {unit}", printed)[1])


@pytest.mark.slow
def test_a_fixed_permutation_costs_nothing(printed):
    resolutions = re.findall(r"energy resolution ([\d.]+) TeV", printed)
    assert len(resolutions) == 2 and float(resolutions[0]) == pytest.approx(float(resolutions[1]), abs=1e-4)


@pytest.mark.slow
def test_who_locates_best_and_who_only_remembers(printed):
    trusted, calibrated, network, memory = (
        number_after(printed, start, "km")
        for start in ("physics, clocks trusted ", "physics, clocks calibrated ", "network  ", "memory  ")
    )
    assert calibrated < 0.08 < network < trusted < memory
    assert trusted == pytest.approx(0.24, abs=0.04)
    seen = [float(value) for value in re.findall(r"on the training quakes ([\d.]+) km", printed)]
    assert seen[0] == pytest.approx(network, abs=0.05)  # the network generalises
    assert seen[1] == 0  # the memory does not


@pytest.mark.slow
def test_swapped_cables_ruin_a_trained_network_and_not_a_retrained_one(printed):
    asked = number_after(printed, "trained in order, asked with swapped cables", "km")
    retrained = number_after(printed, "trained and asked with swapped cables", "km")
    assert asked > 10
    assert retrained < 0.5


@pytest.mark.slow
def test_the_law_extrapolates_and_the_network_does_not(printed):
    rows = re.findall(r"^(?:physics, clocks calibrated|network) +\[([^\]]+)\] km", printed, flags=re.M)
    law, network = (np.array(row.split(), dtype=float) for row in rows)
    assert law.max() < 0.15
    assert network[0] < 0.6 and network[-1] > 20 * law[-1]


@pytest.mark.slow
def test_the_objective_falls_and_is_larger_on_fresh_points(printed):
    assert "objective L = 5/3 = 1.6667" in printed
    falling = [float(value) for value in re.findall(r"after +\d+ epochs: objective +([\d.]+)", printed)]
    assert len(falling) == 5 and falling == sorted(falling, reverse=True)
    assert falling[0] > 5 and falling[-1] < 0.3
    seen, fresh = re.search(r"training points ([\d.]+), on 2000 fresh points ([\d.]+)", printed).groups()
    assert float(seen) < float(fresh) and 0.04 < float(fresh) < 1.5
