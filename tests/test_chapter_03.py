"""Chapter 3 keeps its promises: all parts of the syllabus are there, and what it prints is what the text claims."""

import re
from pathlib import Path

import nbformat
import pytest

jupytext = pytest.importorskip("jupytext")

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "03_building_blocks.md"


@pytest.fixture(scope="module")
def cells():
    return jupytext.read(CHAPTER).cells


@pytest.fixture(scope="module")
def text(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("equation", [f"(3.{n})" for n in range(1, 7)])
def test_equations_carry_the_numbers_of_the_book(text, equation):
    assert rf"\qquad {equation}" in text


@pytest.mark.parametrize("number", ["3.1", "3.2"])
def test_every_worked_example_is_there(text, number):
    assert re.search(rf"\*\*Example {re.escape(number)}\b", text)


@pytest.mark.parametrize("name", ["ForwardPass", "OneNode", "FunctionApproximator", "Playground"])
def test_every_explorable_stands_alone_in_a_cell(cells, name):
    assert any(re.match(rf"{name}\(", cell.source.strip()) for cell in cells if cell.cell_type == "code")


def test_the_problem_sets_of_the_chapter_are_named(text):
    from autograder.problem_sets import all_problem_sets

    names = [each.name for each in all_problem_sets() if each.name.startswith("ex03_")]
    assert names == ["ex03_1", "ex03_2", "ex03_3"]
    assert all(f"`{name}`" in text for name in names)


def test_both_slips_of_the_book_are_taught_right(text):
    assert "never goes below zero" in text
    assert "latitude $b$ in chapter 2 and $l$ in this example" in text


@pytest.fixture(scope="module")
def printed(executed_chapters):
    """All that the executed chapter printed."""
    cells = nbformat.read(executed_chapters["03_building_blocks"].executed_copy, as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.text for output in outputs if output.get("name") == "stdout")


def numbers_after(printed, start):
    line = next(line for line in printed.splitlines() if line.startswith(start))
    return [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[-+]\d+)?", line[len(start) :])]


@pytest.mark.slow
def test_adding_does_not_divide_but_a_network_comes_close(printed):
    share, error = numbers_after(printed, "adding only:")[1:]  # the first number is the 2 of R2
    assert share == pytest.approx(0.82, abs=0.015)  # the value of the syllabus
    network_share, network_error = numbers_after(printed, "with ReLU:")[1:3]
    assert network_share > 0.98
    assert network_error < 0.4 * error
    outside, inside = re.search(r"error at 0.5 s: ([\d.]+) m/s, at 2 s: ([\d.]+) m/s", printed).groups()
    assert float(outside) > 3 * float(inside)


@pytest.mark.slow
def test_algebra_of_the_layers(printed):
    assert "two layers:     z = 2.3" in printed
    assert float(re.search(r"in one; largest difference (\S+)", printed)[1]) < 1e-10
    assert float(re.search(r"largest difference from Keras (\S+)", printed)[1]) < 1e-5
    none, relu = numbers_after(printed, "none "), numbers_after(printed, "ReLU  mean")
    assert none[0] == none[1] and abs(relu[0] - relu[1]) > 1


@pytest.mark.slow
def test_one_node_does_or_and_never_xor(printed):
    right = [int(count) for count in re.findall(r"best node: (\d) of 4 right", printed)]
    assert right == [4, 4, 3]


@pytest.mark.slow
def test_only_the_last_layer_knows_the_question(printed):
    assert "(a) W' has the shape (1, 200)" in printed and "(b) W' has the shape (2, 200)" in printed
    arrival_ms, epicentre_m = map(
        float, re.search(r"200 hidden nodes: arrival to (\d+) ms, epicentre to (\d+) m", printed).groups()
    )
    assert arrival_ms < 15 and epicentre_m < 250


@pytest.mark.slow
def test_the_large_classifier_knows_its_own_particles_by_heart(printed):
    shares = [
        float(share)
        for share in re.findall(r"([\d.]+) of (?:the particles|new ones)", printed.replace("right, ", "\n"))
    ]
    small_seen, small_new, large_seen, large_new = shares
    assert large_seen > small_seen and large_new < small_new - 0.05
    assert small_seen == pytest.approx(small_new, abs=0.06)


@pytest.mark.slow
def test_universal_approximation_as_told(printed):
    sine, steps, jump = (numbers_after(printed, name) for name in ("sine   ", "sine, steps", "jump  "))
    assert sine[1] / sine[2] == pytest.approx(4, rel=0.2)
    assert steps[2] / steps[3] == pytest.approx(2, rel=0.2)
    assert min(jump) > 0.9
    inside, outside = re.search(r"error inside ([\d.]+), at x = 1.5, outside: ([\d.]+)", printed).groups()
    assert float(inside) < 0.001 < 0.4 < float(outside)
    for built, runs in re.findall(r"nodes: built ([\d.]+), trained from 5 random starts \[([^\]]+)\]", printed):
        assert all(float(run) > float(built) for run in runs.split())
    squares = [float(error) for error in re.findall(r"activation y².*largest error ([\d.]+)", printed)]
    assert len(squares) == 3 and max(squares) - min(squares) < 1e-3 and min(squares) > 0.5
    assert re.findall(r"nodes: +(\d+) straight pieces", printed) == [str(2**depth) for depth in range(1, 9)]
