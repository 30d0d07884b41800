"""Palindromes against reading backwards, and against hints that would give them away."""

import numpy as np
import pytest
from scipy import stats

from course_lib.data import make_palindromes


@pytest.mark.parametrize(("length_range", "n_changes"), [((2, 10), 1), ((5, 5), 1), ((4, 13), 3)])
def test_reading_backwards_decides_the_label(length_range, n_changes):
    digits, labels, lengths = make_palindromes(3000, length_range=length_range, n_changes=n_changes, seed=1)
    assert lengths.min() == length_range[0] and lengths.max() == length_range[1] == digits.shape[1]
    for row, label, length in zip(digits.tolist(), labels, lengths, strict=True):
        sequence = row[:length]
        assert all(0 <= digit <= 9 for digit in sequence) and row[length:] == [10] * (len(row) - length)
        wrong_pairs = sum(a != b for a, b in zip(sequence, reversed(sequence), strict=True)) // 2
        assert wrong_pairs == (0 if label else min(n_changes, length // 2))


def test_classes_are_balanced_and_no_single_digit_is_a_hint():
    digits, labels, lengths = make_palindromes(40_000, seed=2)
    assert labels.sum() == 20_000
    assert stats.chisquare(np.bincount(lengths)[2:]).pvalue > 1e-6
    for length in (2, 5, 10):
        chosen = lengths == length
        assert abs(labels[chosen].mean() - 0.5) < 5 * 0.5 / np.sqrt(chosen.sum())
        for label in (0, 1):
            for place in range(length):
                counts = np.bincount(digits[chosen & (labels == label), place], minlength=10)
                assert stats.chisquare(counts).pvalue > 1e-7


def test_any_pair_and_either_of_its_digits_is_broken():
    digits, labels, _ = make_palindromes(20_000, length_range=(8, 8), seed=3)
    odd = digits[labels == 0]
    places = (odd[:, :4] != odd[:, :3:-1]).sum(0)
    assert stats.chisquare(places).pvalue > 1e-6


def test_bad_arguments_are_named():
    for value in ((1, 10), (6, 4), 5, (2, "ten")):
        with pytest.raises(ValueError, match="length_range must be"):
            make_palindromes(5, length_range=value)
    with pytest.raises(ValueError, match="n_changes must be"):
        make_palindromes(5, n_changes=0)
