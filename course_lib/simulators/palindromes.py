r"""Sequences of digits: palindromes, and sequences that miss being one by a single pair.

A task for memory: whether a sequence reads the same in both directions depends on pairs of digits up to its whole
length apart, and no digit alone tells anything. Random digits would make it easy, since only a share of
:math:`10^{-\lfloor L/2\rfloor}` of them are palindromes; here both classes are equally frequent at each length, and
every position holds each digit with the probability 1/10 in both.

References
----------
J. L. Elman, Cognitive Science 14 (1990) 179: recurrent networks find structure in time. S. Hochreiter,
J. Schmidhuber, Neural Computation 9 (1997) 1735: why plain ones forget.
"""

from __future__ import annotations

import numpy as np

from course_lib.simulators._arguments import require_count

#: Symbol behind the end of a sequence.
PADDING = 10


def sample(n_sequences, *, length_range=(2, 10), n_changes=1, seed=None):
    """Draw sequences of digits.

    Parameters
    ----------
    n_sequences : int
    length_range : (int, int)
        Shortest and longest sequence, uniform in between; at least 2, since one digit is always a palindrome.
    n_changes : int
        Pairs that differ in a sequence that is no palindrome; as many as there are, if it is short.
    seed : int, optional

    Returns
    -------
    digits : numpy.ndarray, int64, shape (n_sequences, longest)
        0 to 9, and `PADDING` behind the end.
    labels : numpy.ndarray, int64, shape (n_sequences,)
        1 palindrome, 0 not; half each, in random order.
    lengths : numpy.ndarray, int64, shape (n_sequences,)

    Raises
    ------
    ValueError
        For bad numbers.

    Examples
    --------
    >>> from course_lib.simulators import palindromes
    >>> digits, labels, lengths = palindromes.sample(1000, seed=0)
    >>> digits[labels == 1][1], int(lengths[labels == 1][1])
    (array([ 3,  2,  3, 10, 10, 10, 10, 10, 10, 10]), 3)
    """
    n_sequences = require_count("n_sequences", n_sequences)
    try:
        shortest, longest = length_range
    except (TypeError, ValueError):
        raise ValueError(f"length_range must be a pair (shortest, longest), got {length_range!r}") from None
    shortest, longest = require_count("length_range", shortest, minimum=2), require_count("length_range", longest)
    if longest < shortest:
        raise ValueError(f"length_range must be (shortest, longest), got {length_range!r}")
    n_changes = require_count("n_changes", n_changes)

    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_sequences) % 2)
    lengths = rng.integers(shortest, longest + 1, n_sequences)
    place = np.arange(longest)
    mirrored = lengths[:, None] - 1 - place
    inside = mirrored >= 0
    first = rng.integers(0, 10, (n_sequences, longest))
    # Of each pair the left digit decides.
    digits = np.take_along_axis(first, np.where(inside, np.minimum(place, mirrored), 0), axis=1)
    # Which pairs to break: those with the smallest random numbers, among the pairs that exist.
    lottery = np.where(place < lengths[:, None] // 2, rng.uniform(size=digits.shape), np.inf)
    rank = np.argsort(np.argsort(lottery, axis=1), axis=1)
    broken = (labels[:, None] == 0) & (rank < n_changes) & np.isfinite(lottery)
    # Either digit of the pair changes, to any of the nine others.
    on_the_right = rng.uniform(size=digits.shape) < 0.5
    row, left = np.nonzero(broken)
    column = np.where(on_the_right[row, left], mirrored[row, left], left)
    digits[row, column] = (digits[row, column] + rng.integers(1, 10, len(row))) % 10
    digits[~inside] = PADDING
    return digits, labels, lengths
