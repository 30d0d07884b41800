"""The cards against a hand-played round and their JavaScript twin."""

import javascript
import pytest

from course_lib.explorables import GlossaryCards
from course_lib.explorables.glossary_cards import DECKS, play


def test_a_card_that_was_not_known_comes_back_after_three_others():
    assert play("learning", 0, []).queue[:5] == [0, 1, 2, 3, 4]
    round_ = play("learning", 0, [0])
    assert round_.queue[:5] == [1, 2, 3, 0, 4]
    round_ = play("learning", 0, [0, 1, 1, 1, 1])
    assert (round_.known, round_.missed, round_.queue[0]) == (4, [0], 4)


@pytest.mark.parametrize("shuffle", [0, 1, 77])
@pytest.mark.parametrize("deck", DECKS)
def test_every_card_is_asked_and_the_deck_ends(deck, shuffle):
    count = len(DECKS[deck])
    assert sorted(play(deck, shuffle, []).queue) == list(range(count))
    # Who misses every card once needs twice as many answers, whatever the order of asking.
    answers, seen = [], set()
    while queue := play(deck, shuffle, answers).queue:
        answers.append(int(queue[0] in seen))
        seen.add(queue[0])
    assert seen == set(range(count))
    assert len(answers) == 2 * count
    assert GlossaryCards(deck=deck, shuffle=shuffle, answers=answers).card() is None


def test_shuffling_changes_the_order():
    assert len({tuple(play("data", seed, []).queue) for seed in range(20)}) == 20


def test_both_languages_play_the_same_round():
    draw = lambda generator: generator.integers(0, 2, size=generator.integers(0, 60)).tolist()  # noqa: E731
    states = javascript.random_states(GlossaryCards, 60, seed=6, answers=draw)
    for state, theirs in zip(states, javascript.call(GlossaryCards, [("playRound", s) for s in states]), strict=True):
        assert theirs == GlossaryCards(**state).round()._asdict()


@pytest.mark.parametrize("answers", [[2], [True], "101", [0] * 401, [0.5]])
def test_answers_of_another_kind_are_refused(answers):
    with pytest.raises(ValueError, match="answers must be a list of at most 400 answers"):
        GlossaryCards(answers=answers)
