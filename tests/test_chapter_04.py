"""Chapter 4 keeps its promises: its shape, its functions against independent references, and the numbers it prints."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import scipy.special

jupytext = pytest.importorskip("jupytext")

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "04_optimisation.md"
EXPLORABLES = ("BackpropagationGraph", "DescentSteps", "ObjectiveChooser", "OptimiserPaths")


@pytest.fixture(scope="module")
def cells():
    return jupytext.read(CHAPTER).cells


@pytest.fixture(scope="module")
def text(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def functions(cells):
    """What the chapter defines, without its experiments: classes and functions of all cells."""
    namespace = {"np": np, "SEED": 4, "n_width": 64}
    for cell in cells:
        if cell.cell_type == "code":
            for block in re.findall(r"^(?:def|class) .*\n(?:(?:[ \t].*)?\n)*(?:[ \t].*)?", cell.source, re.M):
                exec(compile(block, str(CHAPTER), "exec"), namespace)
    return namespace


@pytest.mark.parametrize("name", EXPLORABLES)
def test_every_explorable_stands_bare_at_the_end_of_a_cell(cells, name):
    assert any(cell.source.strip().splitlines()[-1] == f"{name}()" for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("number", [f"4.{n}" for n in range(1, 6)])
def test_every_worked_example_is_there(text, number):
    assert re.search(rf"(\*\*|### )Example {re.escape(number)}\b", text)


def test_equations_carry_the_numbers_of_the_book(text):
    assert "4.25\\text{–}4.28" in text
    for number in {*range(1, 7), 8, 9, *range(10, 20), 22, 29, 30, *range(34, 52)} - {43}:
        assert re.search(rf"\b4\.{number}\b", text), number


def test_softmax_and_entropy_are_those_of_scipy(functions):
    z = np.random.default_rng(1).normal(0, 5, (6, 4))
    np.testing.assert_allclose(functions["softmax"](z), scipy.special.softmax(z, axis=-1), rtol=1e-12)
    p = np.random.default_rng(2).dirichlet(np.ones(5))
    assert functions["entropy_bits"](p) == pytest.approx(scipy.special.entr(p).sum() / np.log(2))


def test_gradients_of_the_network_are_central_differences(functions):
    generator = np.random.default_rng(3)
    x, p = generator.normal(size=(9, 3)), np.eye(4)[generator.integers(0, 4, 9)]
    parameters = functions["starting_values"](3, 6, 4, generator)
    exact = functions["gradients"](parameters, x, p)
    measured = functions["slopes_by_differences"](parameters, x, p)
    for name, slope in exact.items():
        np.testing.assert_allclose(slope, measured[name], atol=1e-8, err_msg=name)


def test_the_machine_for_gradients_differentiates_a_formula(functions):
    def formula(a, b, c):
        product = a * b + c
        return (product * a + 2.0).sigmoid() * b

    number = functions["Number"]
    values = [0.3, -0.7, 1.1]
    leaves = [number(value) for value in values]
    formula(*leaves).backward()
    for index, leaf in enumerate(leaves):
        ends = [
            formula(*(number(v + sign * 1e-6 * (at == index)) for at, v in enumerate(values))).value for sign in (1, -1)
        ]
        assert leaf.slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


def test_the_strategies_are_those_of_the_explorable(functions):
    from course_lib.explorables.optimiser_paths import OPTIMISERS, descend

    for name in OPTIMISERS:
        memory, point = {}, np.array([-4.2, 1.2])
        path = [point]
        for t in range(1, 30):
            point = point + functions[name](np.array([1.0, 25.0]) * point, memory, t, 0.05)
            path.append(point)
        expected = descend("valley", name, 0.05, 0.9, 64, [-4.2, 1.2], 29).points
        np.testing.assert_allclose(path, expected, rtol=1e-9, err_msg=name)


def test_feeding_the_corrected_mean_back_gives_the_numbers_of_the_trap(functions):
    wrong = functions["running_mean"](60, feed_back_corrected=True)
    assert wrong[:4] == pytest.approx([1, 5.26, 17.85, 47.0], abs=0.1)
    assert 3e3 < wrong.max() < 5e3
    assert functions["running_mean"](60, feed_back_corrected=False) == pytest.approx(np.ones(60))


def test_scaling_first_to_last_keeps_neither_zero_nor_scale(functions):
    times = np.random.default_rng(5).uniform(0, 60, (4, 10))
    scaled = functions["first_to_last"](times)
    np.testing.assert_allclose(functions["first_to_last"](3 * times + 17), scaled, atol=1e-9)
    assert (scaled.min(axis=1) == -1).all() and (scaled.max(axis=1) == 1).all()


@pytest.fixture(scope="session")
def printed(executed_chapters):
    """All that the cells of the executed chapter print."""
    copy = nbformat.read(executed_chapters["04_optimisation"].executed_copy, as_version=4)
    outputs = [output for cell in copy.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.text for output in outputs if output.output_type == "stream")


def number_after(printed, words, index=0):
    """The number `index` that follows `words` in what was printed."""
    after = printed[printed.index(words) + len(words) :]
    return float(re.findall(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?", after)[index])


@pytest.mark.slow
def test_the_chapter_prints_the_reference_numbers(printed):
    for expected in (
        "are 128 s apart",
        "8 -> 64: Glorot sd 0.167, uniform limit 0.289; He sd 0.500",
        "2 -> 4: Glorot sd 0.577, uniform limit 1.000",
        "0.0969   0.223   0.322",
        "0.6990   1.609   2.322",
        "L = 0.16, dL/dW = -0.80, dL/db = -0.80",
        "new loss 0.0576",
        "new loss 0.1600",
        "new loss 1.4400",
        "de/da = 2.0,  de/db = 5.0",
        "slopes -4.0, -4.0, 3.0",
        "normal and slow event look alike to the network: True",
        "normal and slow event look alike to the network: False",
    ):
        assert expected in printed, expected


@pytest.mark.slow
def test_the_experiments_end_as_told(printed):
    assert number_after(printed, "tanh, Glorot", 2) > 0.1  # after layer 20 (the first number is a layer's)
    assert number_after(printed, "raw           steepest / flattest =") > 1e6
    assert number_after(printed, "standardised  steepest / flattest =") < 1e3
    assert number_after(printed, "decorrelated  steepest / flattest =") == pytest.approx(1, abs=0.05)
    assert number_after(printed, " 20000 steps of two points: mean squared distance to the noiseless curve") < 0.5
    assert number_after(printed, "noise of the slope  0.0:") == 0
    assert number_after(printed, "noise of the slope  3.0:") > 80
    line, network = (number_after(printed, words) for words in ("straight line", "network, standardised"))
    assert network < 1.08 * line < 0.7 < number_after(printed, "always the mean mark")
    straight, bent = (number_after(printed, "highest on the straight line", index) for index in (0, 1))
    assert bent < 0.1 < 1 < straight
    coin = np.log(2)
    for name in ("sigmoid, sd 0.5, SGD   loss after 10 epochs", "ReLU, sd 0.05, SGD     loss after 10 epochs"):
        assert number_after(printed, name) > coin - 0.05
    for name in ("ReLU, He, SGD          loss after 10 epochs", "ReLU, He, Adam         loss after 10 epochs"):
        assert number_after(printed, name) < 0.3
