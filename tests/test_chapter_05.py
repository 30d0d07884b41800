"""Chapter 5 keeps its promises: the numbers of its cells, and what the executed copy says about the training."""

import re
from pathlib import Path

import numpy as np
import pytest

jupytext = pytest.importorskip("jupytext")

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "05_model_building.md"
EXPLORABLES = (
    "ActivationGallery",
    "BiasVariance",
    "HyperparameterSearch",
    "OverfittingMonitor",
    "Regularisation",
    "WorkingPoint",
)


@pytest.fixture(scope="module")
def code_cells():
    return [cell.source for cell in jupytext.read(CHAPTER).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def text():
    return "\n".join(cell.source for cell in jupytext.read(CHAPTER).cells if cell.cell_type == "markdown")


def test_every_explorable_stands_bare_at_the_end_of_a_cell(code_cells):
    for name in EXPLORABLES:
        assert any(source.strip().splitlines()[-1] == f"{name}()" for source in code_cells), name


@pytest.mark.parametrize("equation", [f"(5.{number}" for number in range(1, 8)])
def test_equations_carry_the_numbers_of_the_book(text, equation):
    assert rf"\qquad {equation}" in text


def test_the_three_problem_sets_are_named(text):
    assert all(f"`ex05_{number}`" in text for number in (1, 2, 3))


@pytest.fixture(scope="module")
def chapter(code_cells):
    """Namespace after all cells that need no Keras; the playground runs for 60 epochs instead of 300."""
    namespace = {"__name__": "chapter"}
    for source in code_cells:
        if "load_quietly" in source:
            source = re.sub(r"^.*(load_quietly|import keras|LiveTraining).*$", "", source, flags=re.M)
        if "keras." in source:
            continue
        source = source.replace("n_epochs_playground = 300", "n_epochs_playground = 60")
        exec(compile(source, str(CHAPTER), "exec"), namespace)
    return namespace


@pytest.mark.slow
def test_numbers_of_the_sections(chapter):
    # 5.1: the table of the course, and the optimum.
    np.testing.assert_allclose(np.array(chapter["squared_bias"])[[0, 1, 3]], [0.547, 0.152, 0.003], atol=0.02)
    np.testing.assert_allclose(np.array(chapter["variance"])[[0, 1, 3]], [0.024, 0.025, 0.016], atol=0.01)
    assert chapter["best_degree"] == 3
    assert chapter["variance"][9] > 1 > chapter["typical_error"][9]
    assert chapter["new_error"][3] < chapter["new_error"][1] < chapter["new_error"][15]
    assert chapter["mean_squared_residual"][15] < chapter["mean_squared_residual"][3]
    assert chapter["mean_squared_distance"]["calibrated"] == pytest.approx(2 * 1.5**2, rel=0.1)
    # The tree of figure 1.2, and the two mixtures.
    assert (chapter["accuracy"], chapter["efficiency"]) == (0.82, 0.80)
    assert chapter["purity"] == pytest.approx(0.863, abs=0.001)
    even, rare = chapter["mixtures"].values()
    np.testing.assert_allclose([even["auc"], rare["auc"]], 0.76, atol=0.02)
    np.testing.assert_allclose([even["impurity_area"], rare["impurity_area"]], [0.25, 0.82], atol=0.03)
    np.testing.assert_allclose([even["purity"], rare["purity"]], [0.69, 0.10], atol=0.02)
    # 5.2: the best coin looks better than it is.
    assert chapter["validation_accuracy"][chapter["chosen"]] > 0.55
    assert abs(chapter["honest_accuracy"] - 0.5) < 0.11
    assert chapter["linear_r"] > 0.45 and chapter["linear_error"] < 0.62
    parts = [set(chapter[name].tolist()) for name in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 4898


@pytest.mark.slow
def test_penalties_and_widths_do_what_the_text_says(chapter):
    for w0 in (1.5, 0.4, 0.2, -1.0):
        assert chapter["minimum_l2"][w0] == pytest.approx(w0 / 1.6, abs=1e-4)
        assert chapter["minimum_l1"][w0] == pytest.approx(np.sign(w0) * max(abs(w0) - 0.3, 0), abs=1e-4)
    penalised = chapter["penalised"]
    assert abs(penalised["L2 0.1"]["clean"] - 0.5) < 0.1
    assert penalised["L1 0.01"]["sparsity"] > penalised["L2 0.01"]["sparsity"] > penalised["none"]["sparsity"]
    assert penalised["L2 0.01"]["clean"] > penalised["L2 0.1"]["clean"] + 0.2
    assert chapter["augmented"]["the same, 400 by symmetry"] > chapter["augmented"]["100 points"]
    variance = chapter["ensemble_variance"]
    assert variance[1] / variance[4] == pytest.approx(4, rel=0.3)
    assert chapter["arriving"]["sigmoid"] < 1e-5 < 0.05 < chapter["arriving"]["ReLU"]
    test_error = dict(zip(chapter["widths"], chapter["descent_test"], strict=True))
    assert test_error[100] > 10 * test_error[10] and test_error[1000] < test_error[10]
    assert chapter["descent_training"][-1] < 1e-6
    quiz = chapter["quiz"]
    assert quiz["A"].training_loss[-1] > 0.5  # too slow
    assert quiz["B"].test_loss[-1] > 1.2 * min(quiz["B"].test_loss)  # overfits
    assert quiz["D"].test_loss[-1] < 0.1  # as it should be
    assert np.max(np.diff(quiz["C"].training_loss)) > 0.05  # jumps


@pytest.mark.slow
def test_the_executed_copy_stops_early_and_restores(executed_chapters):
    import nbformat

    copy = nbformat.read(executed_chapters["05_model_building"].executed_copy, as_version=4)
    printed = "".join(
        output.get("text", "") for cell in copy.cells if cell.cell_type == "code" for output in cell.outputs
    )
    best, last = map(
        float, re.search(r"validation error ([\d.]+); in the last epoch it was ([\d.]+)", printed).groups()
    )
    assert 0.08 < best < 0.2 and last > 1.05 * best
    ratio = float(re.search(r"without the factor only ([\d.]+) of it is left", printed).group(1))
    assert ratio == pytest.approx(0.6, abs=0.05)
    assert re.search(r"Keras: values \[0\.\s+1\.667\]", printed)
