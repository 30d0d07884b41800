"""Answers that are alike: renamed copies are found, independent work is not, and nobody is compared with everybody."""

import ast
import io
import keyword
import random
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import gate, problem_sets, similarity
from autograder.repository import find_repository

ANSWER = '''
def accuracy_against_temperature(temperatures, labels, probabilities):
    """Share of right answers at each temperature."""
    right = (probabilities.ravel() > 0.5) == (labels > 0.5)
    grid = np.unique(np.round(temperatures, 1))
    shares = np.array([right[np.isclose(temperatures, one, atol=0.04)].mean() for one in grid])
    counts = np.array([np.sum(np.isclose(temperatures, one, atol=0.04)) for one in grid])
    return grid, shares, np.sqrt(shares * (1 - shares) / counts)
'''
LOOP = """
def accuracy_against_temperature(T, y, p):
    hits = {}
    for temperature, label, probability in zip(T, y, p.flatten()):
        key = round(float(temperature), 1)
        good = int(probability > 0.5) == int(label)
        hits.setdefault(key, []).append(good)
    keys = sorted(hits)
    means = [sum(hits[k]) / len(hits[k]) for k in keys]
    errors = [(m * (1 - m) / len(hits[k])) ** 0.5 for m, k in zip(means, keys)]
    return np.asarray(keys), np.asarray(means), np.asarray(errors)
"""


def renamed(source, new_names):
    """The same program under other names: every name it binds, by Python's own tokenizer."""
    own = sorted(similarity.names_made_up([source]))
    mapping = dict(zip(own, new_names, strict=False))
    words = [
        (kind, mapping.get(text, text) if kind == tokenize.NAME else text)
        for kind, text, *_ in tokenize.generate_tokens(io.StringIO(source).readline)
    ]
    return tokenize.untokenize(words)


def fresh_names(n):
    forbidden = set(keyword.kwlist) | set(dir(__builtins__)) | {"np", "mean", "ravel", "unique", "round", "array"}
    words = st.from_regex(r"[a-z_][a-z0-9_]{2,9}", fullmatch=True).filter(lambda word: word not in forbidden)
    return st.lists(words, min_size=n, max_size=n, unique=True)


@settings(max_examples=25, deadline=None)
@given(fresh_names(12))
def test_renaming_changes_nothing(names):
    other = renamed(ANSWER, names)
    ast.parse(other)
    (pair,) = similarity.compare({"ada": {"q": ANSWER}, "ben": {"q": other}}, [], evidence_bits=1)
    assert pair.likeness == 1.0


def test_comments_texts_numbers_and_line_breaks_change_nothing():
    other = (
        ANSWER.replace("0.04", "0.05")
        .replace("Share of right", "How many")
        .replace("    right =", "    # judge\n    right =")
    )
    other = other.replace(
        "np.unique(np.round(temperatures, 1))", "np.unique(\n        np.round(temperatures, 1),\n    )"
    )
    assert ast.dump(ast.parse(other)) != ast.dump(ast.parse(ANSWER))
    assert [token.text for token in similarity.tokens(other)] == [token.text for token in similarity.tokens(ANSWER)]


def test_another_way_to_write_it_is_not_alike():
    found = similarity.compare({"ada": {"q": ANSWER}, "ben": {"q": LOOP}}, [], likeness=0.0, evidence_bits=0.0)
    assert all(pair.likeness < 0.15 for pair in found)


@settings(max_examples=25, deadline=None)
@given(st.permutations(["ada", "ben", "cleo"]), st.integers(0, 6))
def test_the_order_of_students_does_not_matter(order, n_lines):
    sources = {"ada": ANSWER, "ben": LOOP + "\n".join(ANSWER.splitlines()[: n_lines + 2]), "cleo": LOOP}
    answers = {student: {"q": sources[student]} for student in order}
    found = similarity.compare(answers, [], likeness=0.0, evidence_bits=0.0)
    expected = similarity.compare(
        {student: {"q": sources[student]} for student in sorted(order)}, [], likeness=0.0, evidence_bits=0.0
    )
    assert found == expected
    assert all(pair.first < pair.second and 0 < pair.likeness <= 1 for pair in found)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=30, max_size=120), st.integers(0, 60), st.integers(14, 30))
def test_winnowing_keeps_its_promise(words, start, length):
    # Any common passage of RUN + WINDOW - 1 tokens leaves a common fingerprint, wherever it stands.
    passage = words[start : start + length]
    if len(passage) < similarity.RUN + similarity.WINDOW - 1:
        return
    row = [similarity.Token(word, 0) for word in words]
    other = [similarity.Token(word, 0) for word in ["x", "y", "z", *passage, "z", "y"]]
    assert similarity.fingerprints(row).keys() & similarity.fingerprints(other).keys()


def test_winnowing_keeps_a_third():
    # 2 of WINDOW + 1 neighbours, as the paper derives for hashes without order.
    chance = random.Random(1)
    row = [similarity.Token(chance.choice("abcdefghijklmnopqrstuvwxyz"), 0) for _ in range(6000)]
    kept = sum(len(places) for places in similarity.fingerprints(row).values())
    assert kept / 6000 == pytest.approx(2 / (similarity.WINDOW + 1), abs=0.02)


def test_what_everybody_got_and_what_many_write_is_no_evidence():
    given_code = [ANSWER]
    assert similarity.compare({"ada": {"q": ANSWER}, "ben": {"q": ANSWER}}, given_code, evidence_bits=0.0) == []
    # The same usual lines in a class of 30, and two who share more.
    many = {f"s{n:02d}": {"q": LOOP + f"\nx{n} = {n}"} for n in range(30)}
    assert similarity.compare(many, [], evidence_bits=0.0) == []
    many["s07"]["q"] += ANSWER
    many["s21"]["q"] += renamed(ANSWER, [f"n{k}" for k in range(12)])
    (pair,) = similarity.compare(many, [])
    assert (pair.first, pair.second) == ("s07", "s21")


def test_copied_lines_are_marked_on_both_sides():
    copied = "\n".join(ANSWER.splitlines()[3:8])
    first = {"q": "a = 1\nb = 2\n" + copied, "r": LOOP}
    second = {"q": ANSWER}
    marked = similarity.common_lines(first, second, [])
    assert marked[0]["q"] >= set(range(3, 7)) and not marked[0]["q"] & {0, 1}
    # Of the other answer only the first line, which has the same three parameters.
    assert marked[0].get("r", set()) <= {1, 2}
    assert marked[1]["q"] >= {4, 5, 6}
    assert similarity.common_lines(second, first, []) == marked[::-1]


@pytest.mark.parametrize("exercise", ["ex07_1", "ex08_1"])
def test_independent_right_answers_are_not_reported(exercise):
    """The alternates of a problem set are written to look different: none may be listed with another."""
    problem_set = problem_sets.find(exercise)
    folder = find_repository() / "tests" / "alternates" / exercise
    variants = gate.read_variants(folder, problem_set, problem_sets.tasks(problem_set), mutants=False)
    answers = {one.name: dict(one.answers) for one in variants}
    assert len(answers) >= 2
    assert similarity.compare(answers, []) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="def()[]{}:=,.'\"\\\n #%!\t0a", max_size=200))
def test_any_text_is_read(source):
    row = similarity.tokens(source)
    assert all(0 <= token.line <= source.count("\n") + source.count("\r") + 1 for token in row)
    similarity.compare({"ada": {"q": source}, "ben": {"q": source + "\nx"}}, [source])


def test_a_class_of_500_is_compared_through_the_index(monkeypatch):
    # Not by the clock: no more pairs may be touched than share a rare fingerprint.
    chance = random.Random(500)
    functions = "sum mean std max min abs sqrt log exp diff cumsum median".split()  # noqa: SIM905
    sources = {}
    for n in range(500):
        lines = [
            "    v{} = np.{}(np.{}(values {} {}), axis=0)".format(
                k, chance.choice(functions), chance.choice(functions), chance.choice("+-*/%"), k
            )
            for k in range(8)
        ]
        sources[f"s{n:03d}"] = {"q": "def f(values):\n" + "\n".join(lines) + "\n    return v0"}
    sources["s499"] = sources["s123"]
    touched = []
    original = similarity.itertools.combinations

    def counted(items, n):
        for pair in original(items, n):
            touched.append(pair)
            yield pair

    monkeypatch.setattr(similarity.itertools, "combinations", counted)
    best, *others = similarity.compare(sources, [])
    assert (best.first, best.second, best.likeness) == ("s123", "s499", 1.0)
    # The best of 125 000 pairs drawn by chance from one small vocabulary: few, and far below a copy.
    assert len(others) <= 3 and all(pair.likeness < 0.7 for pair in others)
    n_fingerprints = sum(len(similarity.fingerprints(similarity.tokens(one["q"]))) for one in sources.values())
    most_holders = max(similarity.COMMON_AT_LEAST, similarity.COMMON_SHARE * len(sources))
    assert len(touched) <= n_fingerprints * most_holders / 2
