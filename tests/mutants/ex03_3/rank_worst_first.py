"""exercise: ex03_3
task: rank
loses: all

Sorted upwards, so that the worst feature stands first.
"""

# %% grade_id: rank-answer
def rank_features(names, board=BOARD):
    pairs = []
    for name in names:
        state = {**board, "layers": [], "features": ["x", "y", name]}
        pairs.append((name, np.mean([playground.run({**state, "seed": s}).test_accuracy[-1] for s in (1, 2)])))
    return sorted(pairs, key=lambda pair: pair[1])
