"""Find answers that are too alike to be chance, and show why.

Each answer becomes a row of Python tokens that does not change when names are changed, numbers and texts are replaced,
comments are added or lines are broken elsewhere. Every run of `RUN` tokens is hashed, and winnowing (Schleimer,
Wilkerson and Aiken, SIGMOD 2003) keeps the smallest hash of each `WINDOW` neighbours: any copied passage of at least
``RUN + WINDOW - 1`` tokens leaves a common fingerprint, and a class of 500 is compared through an index of
fingerprints, not pair by pair.

What the author gave out counts for nothing, and what many students share counts little: the usual way to write
``np.mean(x)`` is no evidence. What is left is a lead, never a proof: two students may have learned together, or asked
the same assistant.
"""

from __future__ import annotations

import ast
import builtins
import functools
import hashlib
import io
import itertools
import keyword
import math
import re
import tokenize
from collections import Counter, defaultdict
from dataclasses import dataclass

#: Tokens of one fingerprint: shorter runs are shared by chance.
RUN = 10
#: Neighbouring runs of which one is kept.
WINDOW = 5
#: A fingerprint that more than this share of the class has (but at least `COMMON_AT_LEAST` students) is no evidence.
COMMON_SHARE = 0.1
COMMON_AT_LEAST = 6
#: Pairs below are not listed: likeness (0 to 1), and bits of evidence beyond those that the best of all pairs in the
#: class may reach by chance, the logarithm of the number of pairs.
LIKENESS, EVIDENCE_BITS = 0.5, 20.0
#: Students who are this alike, also through others, are shown as one group.
GROUP_LIKENESS = 0.8
#: Longer code of one student is cut: nobody writes it by hand.
TOKEN_LIMIT = 20_000

#: Said wherever pairs are shown.
CAUTION = (
    "A lead, no proof: people who learned together, or used the same source, write alike. Read both answers, and talk "
    "to the students before you judge."
)
#: The name under which the author's solution takes part.
SOLUTION = "(the author's solution)"


@dataclass(frozen=True)
class Token:
    """A token after everything is taken away that can be changed without thought: ``text``, and its line (from 0)."""

    text: str
    line: int


@dataclass(frozen=True)
class Pair:
    """Two students with similar answers.

    Attributes
    ----------
    first, second : str
        In alphabetical order.
    likeness : float
        Share of the shorter answer's telling fingerprints that stand in the other one too, 0 to 1.
    evidence_bits : float
        Sum of log2(class size / students who have it) over the common fingerprints: how much more they share than
        two drawn by chance.
    cells : tuple of str
        Grade ids of the cells that hold something in common.
    """

    first: str
    second: str
    likeness: float
    evidence_bits: float
    cells: tuple[str, ...]


def tokens(source: str, own_names: frozenset[str] | None = None) -> list[Token]:
    """Return Python code as tokens that survive renaming and reformatting.

    Parameters
    ----------
    source : str
        Python; what is no Python (magics, broken code) is cut into words and signs.
    own_names : frozenset of str, optional
        Names that the student made up, in all cells; those of this source if not given.

    Returns
    -------
    list of Token
        Own names as ``name``, numbers as ``0``, texts as ``text``; keywords, names of libraries, attributes and signs
        as they are. Comments, docstrings, line breaks and brackets' trailing commas are left out.

    Examples
    --------
    >>> [token.text for token in tokens("total = sum(values)  # all of them")]
    ['name', '=', 'sum', '(', 'values', ')']
    >>> tokens("a = [1.5, 2]\\nb = a.mean()") == tokens("x = [3, 4,]\\ny = x.mean()")
    True
    """
    own_names = names_made_up([source]) if own_names is None else own_names
    raw = _raw_tokens(source)
    found: list[Token] = []
    for place, (kind, text, line) in enumerate(raw):
        if kind == "name":
            after_dot = place > 0 and raw[place - 1][1] == "."
            if not after_dot and text in own_names and not keyword.iskeyword(text):
                text = "name"
        elif kind in {"number", "text"}:
            text = "0" if kind == "number" else "text"
            starts = place == 0 or raw[place - 1][2] < line
            ends = place + 1 == len(raw) or raw[place + 1][2] > line
            if kind == "text" and starts and ends and (not found or found[-1].text not in {"(", ",", "[", "{", "="}):
                continue  # a docstring, or a text that does nothing
        elif text in ")]}" and found and found[-1].text == ",":
            found.pop()
        found.append(Token(text, line))
        if len(found) >= TOKEN_LIMIT:
            break
    return found


def names_made_up(sources: list[str]) -> frozenset[str]:
    """Return the names that code binds: variables, functions, classes, parameters, imports under another name.

    Examples
    --------
    >>> sorted(names_made_up(["import numpy as np\\ndef mean(values):\\n    return np.mean(values)"]))
    ['mean', 'np', 'values']
    """
    names: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            # Guess from the text: whatever stands left of an equals sign, or behind def, class, for and as.
            names |= set(re.findall(r"\b(?:def|class|for|as)\s+(\w+)", source))
            names |= set(re.findall(r"^\s*(\w+)\s*=[^=]", source, re.MULTILINE))
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.alias) and node.asname:
                names.add(node.asname)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                names.add(node.name)
    return frozenset(names - set(dir(builtins)))


_WORD = re.compile(r"\w+|[^\w\s]")


def _raw_tokens(source: str) -> list[tuple[str, str, int]]:
    """Kind (name, number, text, sign), text and line of each token."""
    found: list[tuple[str, str, int]] = []
    depth = 0  # of f-strings, which Python 3.12 and later cut into pieces
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            name, line = tokenize.tok_name[token.type], token.start[0] - 1
            if name in {"FSTRING_START", "TSTRING_START"}:
                if depth == 0:
                    found.append(("text", "", line))
                depth += 1
            elif name in {"FSTRING_END", "TSTRING_END"}:
                depth -= 1
            elif depth:
                continue
            elif token.type == tokenize.NAME:
                found.append(("name", token.string, line))
            elif token.type == tokenize.NUMBER:
                found.append(("number", token.string, line))
            elif token.type == tokenize.STRING:
                found.append(("text", token.string, line))
            elif token.type in {tokenize.OP, tokenize.ERRORTOKEN} and token.string.strip():
                found.append(("sign", token.string, line))
    except (tokenize.TokenError, SyntaxError, ValueError):
        found = []
        for line, text in enumerate(source.splitlines()):
            for word in _WORD.findall(text.partition("#")[0]):
                kind = "number" if word[0].isdigit() else "name" if word[0].isalpha() or word[0] == "_" else "sign"
                found.append((kind, word, line))
    return found


def fingerprints(row: list[Token], run: int = RUN, window: int = WINDOW) -> dict[int, list[int]]:
    """Return the fingerprints of a row of tokens by winnowing.

    Parameters
    ----------
    row : list of Token
    run : int
        Tokens of one fingerprint.
    window : int
        Of so many neighbouring runs at least one is kept.

    Returns
    -------
    dict
        Hash to the positions (index of the first token) where it was kept.

    Examples
    --------
    >>> row = tokens("def f(x):\\n    return [x * k for k in range(3)]")
    >>> fingerprints(row) == fingerprints(tokens("def g(y):\\n    return [y * i for i in range(9)]"))
    True
    """
    words = [token.text for token in row]
    hashes = [
        int.from_bytes(hashlib.blake2b("\0".join(words[k : k + run]).encode(), digest_size=8).digest(), "big")
        for k in range(len(words) - run + 1)
    ]
    kept: dict[int, list[int]] = defaultdict(list)
    last = -1
    for start in range(max(1, len(hashes) - window + 1) if hashes else 0):
        neighbours = hashes[start : start + window]
        smallest = min(neighbours)
        # The rightmost of equal ones, so that a repeated run is kept once a window, as in the paper.
        place = start + len(neighbours) - 1 - neighbours[::-1].index(smallest)
        if place != last:
            kept[smallest].append(place)
            last = place
    return dict(kept)


@dataclass(frozen=True)
class _Work:
    """What one student wrote: tokens of each cell, and which fingerprints stand in which cells."""

    cells: dict[str, list[Token]]
    prints: dict[int, tuple[str, ...]]


def compare(
    answers: dict[str, dict[str, str]],
    given: list[str],
    *,
    likeness: float = LIKENESS,
    evidence_bits: float = EVIDENCE_BITS,
) -> list[Pair]:
    """Return the pairs of students whose answers are alike, most telling first.

    Parameters
    ----------
    answers : dict
        Student to (grade id to source of the answer).
    given : list of str
        Code that everybody got: setup cells, stubs, tests. It counts for nothing.
    likeness, evidence_bits : float
        Pairs below either are left out; 2 log2(class size) bits more are asked for, because so many pairs are tried.

    Returns
    -------
    list of Pair
        Sorted by evidence.

    Examples
    --------
    >>> code = "def energy(spins):\\n    return -sum(a * b for a, b in zip(spins, spins[1:])) / len(spins)"
    >>> found = compare({"ada": {"q": code}, "ben": {"q": code.replace("spins", "s")}}, [], evidence_bits=1)
    >>> [(pair.first, pair.second, pair.likeness) for pair in found]
    [('ada', 'ben', 1.0)]
    """
    works = {student: _read(cells, tuple(given)) for student, cells in answers.items()}
    holders: dict[int, list[str]] = defaultdict(list)
    for student in sorted(works):
        for one in works[student].prints:
            holders[one].append(student)
    too_common = max(COMMON_AT_LEAST, COMMON_SHARE * len(works))
    weight = {
        one: math.log2((len(works) + 1) / len(students))
        for one, students in holders.items()
        if len(students) <= too_common
    }
    total = {student: sum(weight.get(one, 0.0) for one in work.prints) for student, work in works.items()}
    shared: Counter = Counter()
    for one, bits in weight.items():
        for pair in itertools.combinations(holders[one], 2):
            shared[pair] += bits
    found = []
    evidence_bits = evidence_bits + 2 * math.log2(len(works)) if evidence_bits and works else evidence_bits
    for (first, second), bits in shared.items():
        share = bits / min(total[first], total[second])
        if share >= likeness and bits >= evidence_bits:
            common = works[first].prints.keys() & works[second].prints.keys() & weight.keys()
            cells = {cell for one in common for student in (first, second) for cell in works[student].prints[one]}
            order = [*works[first].cells, *works[second].cells]
            found.append(Pair(first, second, min(share, 1.0), bits, tuple(sorted(cells, key=order.index))))
    return sorted(found, key=lambda pair: (-pair.evidence_bits, pair.first, pair.second))


@dataclass(frozen=True)
class Group:
    """Students whose answers are alike, and the pair among them with most evidence."""

    students: tuple[str, ...]
    strongest: Pair


def groups(pairs: list[Pair]) -> list[Group]:
    """Gather pairs into groups, so that five equal answers are one finding and not ten.

    Parameters
    ----------
    pairs : list of Pair
        From `compare`.

    Returns
    -------
    list of Group
        Most telling first; pairs below `GROUP_LIKENESS` stay pairs.

    Examples
    --------
    >>> pairs = [Pair("a", "b", 1.0, 90.0, ()), Pair("b", "c", 0.9, 70.0, ()), Pair("a", "d", 0.6, 30.0, ())]
    >>> [group.students for group in groups(pairs)]
    [('a', 'b', 'c'), ('a', 'd')]
    """
    leader: dict[str, str] = {}

    def find(student):
        while leader.setdefault(student, student) != student:
            student = leader[student]
        return student

    close = [pair for pair in pairs if pair.likeness >= GROUP_LIKENESS]
    for pair in close:
        leader[find(pair.second)] = find(pair.first)
    members: dict[str, list[Pair]] = defaultdict(list)
    for pair in close:
        members[find(pair.first)].append(pair)
    found = list(members.values())
    # A weaker likeness inside a group adds nothing, and towards a group it is said once.
    weaker: dict[frozenset[str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.likeness < GROUP_LIKENESS and find(pair.first) != find(pair.second):
            weaker[frozenset((find(pair.first), find(pair.second)))].append(pair)
    found += [[_strongest(some)] for some in weaker.values()]
    rows = [
        Group(tuple(sorted({student for pair in some for student in (pair.first, pair.second)})), _strongest(some))
        for some in found
    ]
    return sorted(rows, key=lambda row: (-row.strongest.evidence_bits, row.students))


def _strongest(pairs: list[Pair]) -> Pair:
    return max(pairs, key=lambda pair: pair.evidence_bits)


def _read(cells: dict[str, str], given: tuple[str, ...]) -> _Work:
    own_names = names_made_up(list(cells.values()))
    known = _given_prints(given, own_names & _words_of(given))
    rows = {grade_id: tokens(source, own_names) for grade_id, source in cells.items()}
    prints: dict[int, list[str]] = defaultdict(list)
    for grade_id, row in rows.items():
        for one in fingerprints(row):
            if one not in known:
                prints[one].append(grade_id)
    return _Work(rows, {one: tuple(places) for one, places in prints.items()})


@functools.lru_cache(maxsize=16)
def _words_of(given: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for source in given for word in re.findall(r"\w+", source))


@functools.lru_cache(maxsize=1024)
def _given_prints(given: tuple[str, ...], own_names: frozenset[str]) -> frozenset[int]:
    """Fingerprints of the given code as they come out beside a student's own names."""
    return frozenset(one for source in given for one in fingerprints(tokens(source, own_names)))


def common_lines(first: dict[str, str], second: dict[str, str], given: list[str]) -> tuple[dict, dict]:
    """Return which lines of two students' answers stand in the other's too.

    Parameters
    ----------
    first, second : dict
        Grade id to source.
    given : list of str
        As in `compare`.

    Returns
    -------
    tuple of dict
        For each student grade id to the set of line numbers (from 0).

    Examples
    --------
    >>> same = "def energy(spins):\\n    return -sum(a * b for a, b in zip(spins, spins[1:]))"
    >>> common_lines({"q": "x = 1\\n" + same}, {"q": same}, [])
    ({'q': {1, 2}}, {'q': {0, 1}})
    """
    runs = []
    known = set()
    for cells in (first, second):
        own_names = names_made_up(list(cells.values()))
        rows = {grade_id: tokens(source, own_names) for grade_id, source in cells.items()}
        runs.append((rows, {grade_id: _all_runs(row) for grade_id, row in rows.items()}))
        known |= {one for source in given for one in _all_runs(tokens(source, own_names))}
    words = [{one for some in runs_of.values() for one in some} for _, runs_of in runs]
    both = (words[0] & words[1]) - known
    sides = []
    for rows, runs_of in runs:
        marked: dict[str, set[int]] = {}
        for grade_id, some in runs_of.items():
            lines = {
                token.line
                for one, starts in some.items()
                if one in both
                for start in starts
                for token in rows[grade_id][start : start + RUN]
            }
            if lines:
                marked[grade_id] = lines
        sides.append(marked)
    return sides[0], sides[1]


def _all_runs(row: list[Token]) -> dict[tuple[str, ...], list[int]]:
    """Every run of tokens, not only those that winnowing keeps: two answers are few enough."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    words = [token.text for token in row]
    for start in range(len(words) - RUN + 1):
        found[tuple(words[start : start + RUN])].append(start)
    return found
