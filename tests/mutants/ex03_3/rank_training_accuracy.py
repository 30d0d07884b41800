"""exercise: ex03_3
task: rank
loses: all

Ranked by the accuracy on training points, after unequal numbers of epochs.
"""

# %% grade_id: rank-answer
def rank_features(names, board=BOARD):
    pairs = []
    for number, name in enumerate(names):
        state = {**board, "layers": [], "features": ["x", "y", name], "epoch": 10 + 5 * number}
        pairs.append((name, np.mean([playground.run({**state, "seed": s}).training_accuracy[-1] for s in (1, 2)])))
    return sorted(pairs, key=lambda pair: -pair[1])
