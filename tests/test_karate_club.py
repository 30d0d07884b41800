"""The karate club against the published counts and networkx' community measures."""

import networkx
import numpy as np

from course_lib.data import load_karate_club

# Labels 1 to 4 as the public notebook prints them, members 0 to 33.
PRINTED = "2 2 3 2 1 1 1 2 4 3 1 2 2 2 4 4 1 2 4 2 4 2 4 4 3 3 4 3 3 4 4 3 4 4"


def test_graph_and_groups_are_the_published_ones():
    club = load_karate_club()
    assert np.array_equal(club.adjacency, club.adjacency.T) and not club.adjacency.diagonal().any()
    assert club.adjacency.sum() == 156 and set(np.unique(club.adjacency)) == {0.0, 1.0}
    assert [int(word) - 1 for word in PRINTED.split()] == club.labels.tolist()
    assert np.bincount(club.labels).tolist() == [5, 10, 7, 12]
    assert club.adjacency.sum(0)[[0, 33]].tolist() == [16, 17]  # the two leaders of the club


def test_groups_have_the_published_modularity_and_agree_with_louvain():
    club = load_karate_club()
    graph = networkx.from_numpy_array(club.adjacency)
    groups = [set(np.flatnonzero(club.labels == group).tolist()) for group in range(4)]
    # The printed 0.409 is recomputed by networkx from the bare edges.
    assert abs(networkx.community.modularity(graph, groups, weight=None) - 0.409) < 1e-3


def test_split_and_labelled_members():
    club = load_karate_club()
    assert club.sides.sum() == 17
    assert not club.sides[(club.labels == 0) | (club.labels == 1)].any()
    assert club.sides[club.labels == 2].sum() == 6 and club.sides[club.labels == 3].sum() == 11
    assert sorted(club.labels[club.labelled_members].tolist()) == [0, 1, 2, 3]
    first, second = load_karate_club(), load_karate_club()
    first.adjacency[0, 0] = 5  # changing one copy must not change the next
    assert second.adjacency[0, 0] == 0 and load_karate_club().adjacency[0, 0] == 0
