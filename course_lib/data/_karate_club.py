"""Zachary's karate club: a small social network with groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Group of each of the 34 members, 0 to 3.
_GROUPS = "1121000132011133013131332232233233"

#: One labelled member of each group, as in the published exercise.
LABELLED_MEMBERS = (4, 19, 31, 33)


class KarateClub(NamedTuple):
    """The karate club as a graph.

    Attributes
    ----------
    adjacency : numpy.ndarray, float32, shape (34, 34)
        1 where two members met outside the club, else 0; symmetric, zero diagonal, 78 edges.
    features : numpy.ndarray, float32, shape (34, 34)
        Identity: a member is known by its number only.
    labels : numpy.ndarray, int64, shape (34,)
        One of four groups: communities of the graph.
    sides : numpy.ndarray, int64, shape (34,)
        The historical split: 0 stayed with the instructor, 1 left with the officer.
    labelled_members : numpy.ndarray, int64, shape (4,)
        The members whose group is given away in the exercise, one of each group.
    """

    adjacency: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    sides: np.ndarray
    labelled_members: np.ndarray


def load_karate_club():
    """Zachary's karate club as networkx has it, with the four-group labels of the published exercise.

    Returns
    -------
    KarateClub

    References
    ----------
    W. W. Zachary, Journal of Anthropological Research 33 (1977) 452.

    Examples
    --------
    >>> from course_lib.data import load_karate_club
    >>> club = load_karate_club()
    >>> int(club.adjacency.sum()) // 2
    78
    """
    import networkx

    graph = networkx.karate_club_graph()
    # networkx weights the edges by the number of shared activities; the exercise uses bare contacts.
    adjacency = networkx.to_numpy_array(graph, nodelist=range(34), weight=None, dtype=np.float32)
    sides = np.array([int(graph.nodes[member]["club"] == "Officer") for member in range(34)], dtype=np.int64)
    return KarateClub(
        adjacency,
        np.eye(34, dtype=np.float32),
        np.array([int(group) for group in _GROUPS], dtype=np.int64),
        sides,
        np.array(LABELLED_MEMBERS, dtype=np.int64),
    )
