"""Hexagonal pixels: distances on the plane, equivariance under all turns, and JavaScript."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import HexagonalGrid
from course_lib.explorables.hexagonal_grid import (
    CELLS,
    DIRECTIONS,
    channels,
    equivariance_error,
    neighbour_steps,
    offset,
    picture,
    turned,
)


def on_the_plane(cell):
    q, r = cell
    return np.array([q + r / 2, r * np.sqrt(3) / 2])


def test_the_six_neighbours_are_those_at_distance_one():
    near = {other for other in CELLS if abs(np.linalg.norm(on_the_plane(other)) - 1) < 1e-9}
    assert near == set(DIRECTIONS)
    for cell in CELLS:  # offset steps lead to the same cells
        found = {
            offset(other) for other in CELLS if abs(np.linalg.norm(on_the_plane(other) - on_the_plane(cell)) - 1) < 1e-9
        }
        row, column = offset(cell)
        assert found <= {(row + one, column + other) for one, other in neighbour_steps(cell, "offset")}


def test_offset_steps_depend_on_the_parity_of_the_row_and_on_nothing_else():
    by_parity = {}
    for cell in CELLS:
        by_parity.setdefault(cell[1] % 2, set()).add(str(neighbour_steps(cell, "offset")))
        assert neighbour_steps(cell, "axial") == [list(step) for step in DIRECTIONS]
    assert [len(steps) for steps in by_parity.values()] == [1, 1]
    assert by_parity[0] != by_parity[1]


def test_a_turn_is_a_rotation_by_sixty_degrees():
    angle = np.pi / 3
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for cell in CELLS:
        np.testing.assert_allclose(on_the_plane(turned(cell)), rotation @ on_the_plane(cell), atol=1e-12)
        assert turned(cell, 6) == cell


@pytest.mark.parametrize("layer", [1, 2])
def test_turning_the_picture_turns_and_shifts_the_channels(layer):
    generator = np.random.default_rng(8)
    for turns in range(6):
        lit = generator.choice(len(CELLS), size=9, replace=False).tolist()
        assert equivariance_error(lit, turns, layer) == 0
    # In general the channels are no copies: without the shift they differ.
    assert equivariance_error([0, 9, 18, 22], 2, layer, shared=False) > 0


def test_channels_are_correlations_computed_by_hand():
    values = picture([CELLS.index((1, 0))], 0)
    first = channels(values, 1)
    # Only cells next to (1, 0), or itself, see it; channel 0 reads it with the weight of that direction.
    assert first[0][CELLS.index((0, 0))] == 2  # (1, 0) lies in direction 0
    assert first[1][CELLS.index((0, 0))] == -2  # the filter turned by one: direction 5 now points there
    assert np.count_nonzero(first[0]) <= 7


def test_both_languages_agree():
    draw = lambda generator: sorted(generator.choice(37, size=generator.integers(0, 12), replace=False).tolist())  # noqa: E731
    states = javascript.random_states(HexagonalGrid, 30, seed=9, lit=draw)
    calls = []
    for state in states:
        calls.append(("neighbourSteps", CELLS[state["cell"]], state["system"]))
        calls.append(("equivarianceError", state["lit"], state["turns"], state["layer"], False))
        calls.append(("hexChannels", picture(state["lit"], state["turns"]).tolist(), state["layer"]))
    results = iter(javascript.call(HexagonalGrid, calls))
    for state in states:
        assert next(results) == neighbour_steps(CELLS[state["cell"]], state["system"])
        assert next(results) == equivariance_error(state["lit"], state["turns"], state["layer"], shared=False)
        np.testing.assert_array_equal(next(results), channels(picture(state["lit"], state["turns"]), state["layer"]))


@pytest.mark.parametrize("lit", [[37], [-1], [3, 3], [True], "12", [1.0]])
def test_lit_cells_that_do_not_exist_are_refused(lit):
    with pytest.raises(ValueError, match="lit must be a list of different cells, 0 to 36"):
        HexagonalGrid(lit=lit)
