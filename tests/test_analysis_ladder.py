"""Figures 1.1 and 1.4: the right places, their count, and the JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import AnalysisLadder
from course_lib.explorables.analysis_ladder import BOXES_PER_STEP, SORTINGS, STEPS, count_right, solution


def test_the_pipelines_are_those_of_the_figure():
    """From step to step one more box is learned; only the last one has a second stage of features."""
    boxes = iter(SORTINGS["boxes"].cards)
    pipelines = [[next(boxes) for _ in range(count)] for count in BOXES_PER_STEP]
    assert next(boxes, None) is None and len(pipelines) == len(STEPS)
    assert [[card.answer for card in pipeline] for pipeline in pipelines] == [[0], [0, 1], [1, 1], [1, 1, 1]]
    assert [sum("variables" in card.name for card in pipeline) for pipeline in pipelines] == [0, 1, 1, 2]


@pytest.mark.parametrize("task", ["analyses", "methods"])
def test_every_place_is_needed(task):
    assert set(solution(task)) == set(range(len(SORTINGS[task].places)))


def test_the_sentence_counts_only_what_is_placed_and_judges_only_when_asked():
    right = solution("methods")
    wrong = [(place + 1) % 4 for place in right]
    mixed = right[:4] + wrong[4:7] + [-1] * 3
    assert count_right("methods", mixed) == (7, 4)
    unchecked = AnalysisLadder(task="methods", methods=mixed).summary()
    assert unchecked == "Nested sets: 7 of 10 placed."
    assert AnalysisLadder(task="methods", methods=mixed, checked=True).summary().endswith("placed, 4 of them rightly.")


def test_the_card_in_hand_exists_in_every_task():
    assert AnalysisLadder(task="analyses", held=9).state["held"] == 5
    assert AnalysisLadder(task="methods", held=9).state["held"] == 9


def test_both_languages_count_the_same():
    generator = np.random.default_rng(4)
    calls, ours = [], []
    for task, sorting in SORTINGS.items():
        for _ in range(15):
            answers = generator.integers(-1, len(sorting.places), len(sorting.cards)).tolist()
            calls += [("countRight", task, answers)]
            ours.append(list(count_right(task, answers)))
    assert javascript.call(AnalysisLadder, calls) == ours
    states = [
        AnalysisLadder(task=task, **{task: solution(task)}, checked=True, prediction="skipped") for task in SORTINGS
    ]
    sentences = javascript.call(AnalysisLadder, [("ladderSummary", ladder.state) for ladder in states])
    assert sentences == [ladder.summary() for ladder in states]
    assert sentences[0] == "Four pipelines: 8 of 8 placed, 8 of them rightly."


def test_a_place_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="AnalysisLadder: boxes must hold values from -1 to 1"):
        AnalysisLadder(boxes=[2] * 8)


def test_the_static_figure_names_every_box():
    figure = AnalysisLadder().static_figure()
    assert sum(len(trace.x) for trace in figure.data) == sum(BOXES_PER_STEP)
    assert {trace.name for trace in figure.data} == {"by hand", "learned"}
