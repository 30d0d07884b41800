"""Chapter 7 keeps its promises: its shape, and the numbers that its executed copy shows."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

jupytext = pytest.importorskip("jupytext")

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "07_dense_networks.md"
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


@pytest.fixture(scope="module")
def cells():
    return jupytext.read(CHAPTER).cells


@pytest.fixture(scope="module")
def printed(executed_chapters):
    """Everything that the executed copy printed."""
    notebook = nbformat.read(executed_chapters["07_dense_networks"].executed_copy, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # On a busy machine one line arrives in several outputs.
    return "\n".join("".join(o.text for o in cell.outputs if o.output_type == "stream") for cell in code)


def numbers_after(printed, start, count=1):
    """The first `count` numbers behind the text `start`."""
    found = re.search(re.escape(start) + r"(.*(?:\n.*){0,2})", printed)
    assert found, f"the chapter does not print {start!r}"
    return [float(number) for number in re.findall(NUMBER, found.group(1))[:count]]


# ---------------------------------------------------------------------------------------------- shape


@pytest.mark.parametrize("name", ["DeepNetwork", "EpicentreResolution", "SpiralHandedness", "MomentMap"])
def test_every_explorable_stands_bare_at_the_end_of_a_cell(cells, name):
    assert any(cell.source.strip().splitlines()[-1] == f"{name}()" for cell in cells if cell.cell_type == "code")


def test_equations_carry_the_numbers_of_the_book_in_order(cells):
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    numbered = [int(number) for number in re.findall(r"\\q?quad\s?\(7\.(\d+)\)", text)]
    assert numbered == sorted(numbered)
    assert set(range(1, 23)) - set(numbered) == {14}  # that one stands in the text
    assert "(7.14)" in text and "**Example 7.1" in text


def test_trainings_can_be_steered_while_they_run(cells):
    assert sum("await live" in cell.source for cell in cells if cell.cell_type == "code") == 3


# ---------------------------------------------------------------------------------------------- claims


@pytest.mark.slow
def test_earthquakes(printed):
    assert "9026 parameters; by our formula 9026" in printed
    assert numbers_after(printed, "largest difference")[0] < 0.02
    constant, linear, squares = (
        numbers_after(printed, f"{name:40s} mean distance")[0]
        for name in ("always the same place", "linear in the eight times", "linear in the times and their squares")
    )
    assert 20 < constant < 24 and 3.5 < linear < 5 and squares < 1e-9
    sigma, median, mean = numbers_after(printed, "sigma ", 5)[:1] + [
        numbers_after(printed, f"{name} ")[0] for name in ("km, median", "km, mean")
    ]
    assert sigma < 0.16 and mean < 0.16 and median < 1.3 * sigma
    loss = numbers_after(printed, "mean squared distance ")[0]
    twice_sigma_squared = numbers_after(printed, "2 sigma^2 = ")[0]
    assert loss == pytest.approx(twice_sigma_squared, abs=2e-4)
    assert numbers_after(printed, "km: wrong by")[0] > 5 * mean
    assert 0.2 < numbers_after(printed, "reading error  50 ms: times and squares give a mean distance of")[0] < 0.6


@pytest.mark.slow
def test_galaxies(printed):
    deep_train, deep_test = numbers_after(printed, "three hidden layers ", 2)
    linear_train, linear_test = numbers_after(printed, "no hidden layer ", 2)
    assert deep_train > 0.99 and deep_test > 0.98
    assert linear_train > linear_test + 0.08 and abs(linear_test - 0.5) < 0.06
    share = {
        name: numbers_after(printed, f"{name:24s} same label in")[0]
        for name in ("as they are", "rotated by 90 degrees", "mirrored", "shifted by 6 pixels", "pixels shuffled")
    }
    assert min(share["as they are"], share["rotated by 90 degrees"]) > 97 and share["mirrored"] < 3
    assert share["shifted by 6 pixels"] < 85 and 30 < share["pixels shuffled"] < 70
    assert numbers_after(printed, "trained and tested on shuffled pixels:")[0] > 0.97


@pytest.mark.slow
def test_example_7_1_has_the_numbers_of_the_syllabus(printed):
    rows = [[float(n) for n in re.findall(NUMBER, line)] for line in printed.splitlines()]
    table = {(row[0], row[4]): row[1:4] + row[5:] for row in rows if len(row) == 7 and row[0] in (0.1, 0.5, 2.0, 3.0)}
    for key, expected in {
        (0.5, 0.1): [0.125, 0.766, -0.4375, 0.158, 0.161],
        (0.5, 1.0): [0.125, 0.766, -0.4375, 0.453, 0.824],
        (2.0, 0.01): [8, 49, 56, 1.28, 2.99],
        (2.0, 0.1): [8, 49, 56, -59.2, -46.7],
    }.items():
        np.testing.assert_allclose(table[key], expected, atol=0.05)
    assert table[0.1, 1.0][2] == pytest.approx(-0.02, abs=1e-3) and table[3.0, 0.01][2] == 468
    ours, numerical = numbers_after(printed, "our formula       ", 3), numbers_after(printed, "finite differences", 3)
    np.testing.assert_allclose(ours, numerical, atol=1e-5)
    assert numbers_after(printed, "as printed, first")[0] == pytest.approx(ours[0] / -2.0, abs=1e-5)


@pytest.mark.slow
def test_gradients_vanish_and_explode_as_told(printed):
    ratio = {}
    for activation, scale, *values in re.findall(
        rf"(sigmoid|tanh|relu) +weights times ({NUMBER}): first layer ({NUMBER}), last ({NUMBER}), ratio ({NUMBER})",
        printed,
    ):
        ratio[activation, float(scale)] = [float(value) for value in values]
    assert ratio["sigmoid", 1.0][2] < 1e-8
    assert 0.01 < ratio["tanh", 1.0][2] < 100 and ratio["tanh", 0.5][0] < 1e-4 * ratio["tanh", 1.0][0]
    assert len({ratio["relu", scale][2] for scale in (0.5, 1.0, 2.0)}) == 1
    assert ratio["relu", 2.0][0] / ratio["relu", 0.5][0] == pytest.approx(4.0**19, rel=1)


@pytest.mark.slow
def test_the_three_cures_keep_their_properties(printed):
    assert "the block returns ReLU(x): True" in printed
    plain, residual = numbers_after(printed, "parameters without shortcuts", 2)
    assert plain == residual
    assert numbers_after(printed, "largest difference to Keras")[0] < 1e-3
    assert numbers_after(printed, "the layer does nothing:")[0] < 1e-3
    mean, variance = numbers_after(printed, "K(0, 1) = (", 2)
    assert abs(mean) < 2e-5 and abs(variance - 1) < 5e-5
    assert numbers_after(printed, "variance 1/n: spread", 2)[1] == pytest.approx(1, abs=0.1)
    assert numbers_after(printed, "variance 2/n: spread", 2)[1] > 4


@pytest.mark.slow
def test_depth_ten_with_and_without_cures(printed):
    errors = re.search(r"largest relative differences: (.*)", printed).group(1)
    assert max(float(error) for error in re.findall(NUMBER, errors)) < 1e-2
    distance = {}
    for name in ("ReLU", "ReLU, shortcuts", "ReLU, batch norm", "tanh", "tanh, batch norm", "SELU"):
        line = re.search(rf"^{re.escape(name)} +mean distance in km:(.*)$", printed, re.M).group(1)
        distance[name] = [float(number) for number in re.findall(NUMBER, line)]
    for name in ("ReLU, shortcuts", "ReLU, batch norm", "SELU"):
        assert max(distance[name]) < 0.5, name
    # Without shortcuts the result depends on the seed: from the same distance to twenty times as much.
    assert max(distance["ReLU"]) > max(distance["ReLU, shortcuts"])
    assert distance["tanh"][0] > 10 > 3 > distance["tanh, batch norm"][0]


@pytest.mark.slow
def test_magnets_next_to_their_baselines(printed):
    share = {
        name: numbers_after(printed, f"{name:26s} test accuracy")[0]
        for name in ("cut on |m|", "cut on the energy", "network, 32 nodes", "network, no hidden layer")
    }
    assert share["network, 32 nodes"] >= 0.96
    assert min(share["cut on |m|"], share["cut on the energy"]) > 0.975
    assert share["network, no hidden layer"] < 0.8
