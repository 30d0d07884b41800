"""Sequences of digits that read the same in both directions, or almost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.simulators import palindromes as simulator


class Palindromes(NamedTuple):
    """Sequences of digits.

    Attributes
    ----------
    digits : numpy.ndarray, int64, shape (n, longest)
        0 to 9, and 10 behind the end: eleven symbols for an embedding or a one-hot code.
    labels : numpy.ndarray, int64, shape (n,)
        1 palindrome, 0 not.
    lengths : numpy.ndarray, int64, shape (n,)
        Digits before the padding.
    """

    digits: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray


def make_palindromes(n_sequences=20_000, *, length_range=(2, 10), n_changes=1, seed=None):
    """Draw palindromes and sequences that miss being one by a pair, half each.

    Parameters
    ----------
    n_sequences : int
    length_range : (int, int)
        Shortest and longest sequence; at least 2.
    n_changes : int
        Pairs that differ in a sequence that is no palindrome.
    seed : int, optional

    Returns
    -------
    Palindromes

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.data import make_palindromes
    >>> make_palindromes(10, length_range=(3, 6), seed=0).digits.shape
    (10, 6)
    """
    return Palindromes(*simulator.sample(n_sequences, length_range=length_range, n_changes=n_changes, seed=seed))
