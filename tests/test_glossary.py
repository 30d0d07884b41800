"""The glossary: one sentence a term, no term twice, and errors that show the way."""

import re

import pytest

from course_lib.glossary import GROUPS, SYMBOLS, TERMS, find


def test_terms_are_unique_and_explained_in_one_plain_sentence():
    names = [term.name.casefold() for term in TERMS]
    assert len(names) == len(set(names)) > 80
    for term in TERMS:
        assert term.group in GROUPS
        assert 20 < len(term.meaning) < 130, term
        assert not term.meaning.endswith("."), term
        # Not a circle: a word is not explained by itself alone.
        assert not term.meaning.casefold().startswith(term.name.casefold()), term
        assert re.fullmatch(r"\d+(\.\d)?(, \d+(\.\d)?)*", term.sections), term


def test_the_terms_of_the_self_test_are_all_there():
    """What chapter 6 restates, in the wording of the course."""
    names = [
        "neural network",
        "network parameters",
        "prediction",
        "classification",
        "regression",
        "layer",
        "node",
        "hyperparameter",
        "feature",
        "feature hierarchy",
        "feature space",
        "spatial domain",
        "training",
        "objective function",
        "differentiable",
        "backpropagation",
        "stochastic gradient descent",
        "regularisation",
        "preprocessing",
        "labelled data",
        "supervised training",
        "epoch",
        "minibatch",
        "iteration",
        "validation data",
        "test data",
        "metric",
        "target",
    ]
    for name in names:
        assert find(name).name == name


def test_an_unknown_term_names_the_nearest():
    with pytest.raises(KeyError, match=r"nearest: .*hidden layer"):
        find("hiden layer")


def test_symbols_are_unique():
    latex = [symbol.latex for symbol in SYMBOLS]
    assert len(latex) == len(set(latex))
