"""Figure 1.2 against its printed counts, brute force, scikit-learn's rule, and its JavaScript twin."""

import javascript
import numpy as np
import pytest

from course_lib.explorables import DecisionTree
from course_lib.explorables import decision_tree as model


def classes(members):
    _, is_signal = model.events()
    signal = sum(is_signal[member] for member in members)
    return signal, len(members) - signal


def at_cut(number, cuts):
    values, _ = model.events()
    return [member for member, event in enumerate(values) if number in model.path_of(event, cuts)[:-1]]


def test_the_sample_gives_the_counts_of_the_figure_in_every_box():
    assert [classes(at_cut(number, model.FIGURE_CUTS)) for number in (1, 2, 3)] == [(55, 45), (45, 14), (13, 9)]
    assert model.leaf_counts(model.FIGURE_CUTS) == [(10, 31), (32, 5), (12, 2), (1, 7)]


def test_metrics_of_the_figure():
    metrics = model.leaf_metrics(model.FIGURE_LEAVES)
    assert metrics == pytest.approx((44 / 55, 44 / 51, 82 / 100))
    # Root 0.495, weighted 0.365 after the first cut.
    assert model.gini(55, 45) == pytest.approx(0.495)
    assert model.gini(55, 45) - model.gain(range(100), 0, 30.0) == pytest.approx(0.365, abs=5e-4)


def test_metrics_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    values, is_signal = model.events()
    for cuts in ([(0, 25), (2, 150), (1, 60)], [(1, 40), (1, 20), (0, 50)]):
        counts = model.leaf_counts(cuts)
        votes = [counts[model.leaf_of(event, cuts)] for event in values]
        called = [signal > background for signal, background in votes]
        ours = model.leaf_metrics(counts)
        assert ours.efficiency == pytest.approx(metrics.recall_score(is_signal, called))
        assert ours.purity == pytest.approx(metrics.precision_score(is_signal, called))
        assert ours.accuracy == pytest.approx(metrics.accuracy_score(is_signal, called))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_best_cut_is_that_of_brute_force(number):
    """Every threshold on a fine grid is tried with numpy; none gains more."""
    values, is_signal = (np.array(part) for part in model.events())
    members = at_cut(number, model.FIGURE_CUTS)
    best = model.best_cut(members)

    def impurity(labels):
        share = labels.mean() if len(labels) else 0
        return len(labels) * 2 * share * (1 - share)

    chosen, labels = values[members], is_signal[members]
    gains = [
        (impurity(labels) - impurity(labels[chosen[:, o] < t]) - impurity(labels[chosen[:, o] >= t])) / len(labels)
        for o in range(3)
        for t in np.arange(0, 300, 0.25)
    ]
    assert best.gain == pytest.approx(max(gains), abs=1e-12)
    assert model.gain(members, best.observable, best.threshold) == pytest.approx(best.gain)


def test_the_data_choose_the_charge_first_and_another_order_costs():
    assert model.best_cut(range(100)).observable == 0
    charge, width, time = (model.best_cut(range(100), [observable]).gain for observable in range(3))
    assert charge > width > time > 0


def test_no_leaf_votes_signal_is_said():
    tree = DecisionTree(cut_1=0, cut_2=0, cut_3=0, observable_1=1)
    # All 100 events, mostly signal, land in one leaf: the tree calls everything signal.
    assert tree.summary().startswith("The tree finds 100 % of the signal with a purity of 55 %")
    assert model.leaf_metrics([(1, 3), (2, 2)]).purity is None


def test_a_threshold_stays_on_the_scale_of_its_observable():
    assert DecisionTree(cut_2=290).state["cut_2"] == 100
    assert DecisionTree(cut_3=290).state["cut_3"] == 290


def test_both_languages_agree_on_counts_gains_and_best_cuts():
    states = javascript.random_states(
        DecisionTree,
        25,
        seed=3,
        cut_1=lambda generator: round(generator.uniform(0, 60), 1),
        cut_2=lambda generator: round(generator.uniform(0, 100), 1),
        cut_3=lambda generator: round(generator.uniform(0, 300), 1),
    )
    trees = [DecisionTree(**state) for state in states]
    pairs = [[list(cut) for cut in tree.cuts()] for tree in trees]
    calls = [("leafCounts", cuts) for cuts in pairs]
    members = [list(range(0, 100, step)) for step in (1, 3, 7)]
    calls += [("bestCut", some) for some in members]
    calls += [("leafMetrics", model.FIGURE_LEAVES), ("leafMetrics", [[1, 3], [2, 2]])]
    results = javascript.call(DecisionTree, calls)
    assert results[:25] == [[list(pair) for pair in model.leaf_counts(tree.cuts())] for tree in trees]
    for theirs, some in zip(results[25:28], members, strict=True):
        assert theirs == pytest.approx(list(model.best_cut(some)), abs=1e-12)
    assert results[28] == pytest.approx(model.leaf_metrics(model.FIGURE_LEAVES)._asdict())
    assert results[29]["purity"] is None


def test_the_static_figure_holds_all_events():
    figure = DecisionTree().static_figure()
    assert [sum(trace.y) for trace in figure.data] == [55, 45]
