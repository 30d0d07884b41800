"""Chapter 1 keeps its promises: its numbers, and what its executed copy says."""

import re
from pathlib import Path

import nbformat
import pytest

jupytext = pytest.importorskip("jupytext")

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
CHAPTER = NOTEBOOKS / "01_scope.md"
EXPLORABLES = ("AnalysisLadder", "DecisionTree", "NetworkPaths", "KerasProgram")


@pytest.fixture(scope="module")
def cells():
    return jupytext.read(CHAPTER).cells


def text_of(cells, kind):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == kind)


@pytest.mark.parametrize("name", EXPLORABLES)
def test_every_explorable_stands_bare_at_the_end_of_a_cell(cells, name):
    assert any(cell.source.strip().splitlines()[-1] == f"{name}()" for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("section", [f"1.{number}" for number in range(1, 8)])
def test_every_section_of_the_book_is_there(cells, section):
    assert re.search(rf"^## {re.escape(section)} ", text_of(cells, "markdown"), re.MULTILINE)


def test_the_problem_sets_are_named(cells):
    text = text_of(cells, "markdown")
    assert "`ex01_1`" in text and "`ex01_2`" in text


def test_a_printed_listing_in_the_style_of_keras_2_is_not_repeated(cells):
    assert "input_dim" not in text_of(cells, "code")
    assert "input_dim" in text_of(cells, "markdown")  # the remark for readers of the book


@pytest.fixture(scope="module")
def printed(executed_chapters):
    """Everything that the executed copy of the chapter prints."""
    copy = nbformat.read(executed_chapters["01_scope"].executed_copy, as_version=4)
    return "".join(
        output.text for cell in copy.cells if cell.cell_type == "code" for output in cell.outputs if "text" in output
    )


def number_after(printed, label):
    found = re.search(re.escape(label) + r"\s*([-+]?\d+(?:\.\d+)?)", printed)
    assert found, label
    return float(found.group(1))


@pytest.mark.slow
def test_numbers_of_the_tree(printed):
    for leaf in (
        "32/ 5   votes signal",
        "12/ 2   votes signal",
        " 1/ 7   votes background",
        "10/31   votes background",
    ):
        assert f"S/B = {leaf}" in printed
    assert "efficiency 44/55 = 0.80" in printed
    assert "purity     44/51 = 0.863" in printed
    assert "accuracy  (44 + 38)/100 = 0.82" in printed
    assert "before the first cut 0.495, after it 0.365" in printed


@pytest.mark.slow
def test_representation_decides(printed):
    """Reference: R² 0.45 on s, 0.82 on s and t, 1 on s / t; cut accuracies 0.75, 0.51, 1.0 (20 000 carts)."""
    assert number_after(printed, "straight-line fit on s        R² =") == pytest.approx(0.45, abs=0.02)
    assert number_after(printed, "straight-line fit on s and t  R² =") == pytest.approx(0.82, abs=0.02)
    assert number_after(printed, "straight-line fit on s / t    R² =") == 1
    assert number_after(printed, "best cut on s     accuracy") == pytest.approx(0.75, abs=0.02)
    assert number_after(printed, "best cut on t     accuracy") < 0.53
    assert number_after(printed, "best cut on s / t accuracy") > 0.99
    assert number_after(printed, "times as in the training: R² =") > 0.995
    assert number_after(printed, "network on s and t, times below 0.5 s:        R² =") < 0.9


@pytest.mark.slow
def test_uncertainties_and_the_plane(printed):
    exact, linear = (number_after(printed, label) for label in ("mean shift of z: exact", "from the slopes"))
    assert linear == pytest.approx(exact, rel=0.05) and exact != 0
    ends = re.search(r"without\s+z half-way ([-+.\d]+), mean of the ends ([-+.\d]+)", printed)
    assert ends.group(1) == ends.group(2)
    selected = re.search(r"selected: (\d+) \+- (\d+) \(statistical\)", printed)
    assert int(selected.group(2)) == round(int(selected.group(1)) ** 0.5)


@pytest.mark.slow
def test_the_first_program(printed):
    assert "17 parameters = (2 * 4 + 4) + (4 + 1)" in printed
    slow, quick = (float(value) for value in re.findall(r"test accuracy (\d\.\d+)", printed))
    assert slow < 0.7 < 0.8 < quick
