"""exercise: ex03_3

The whole state of a widget, shifted thresholds by hand, generators.
"""

# %% grade_id: state-answer
board = Playground({**BOARD, "layers": [4], "optimiser": "adam", "learning_rate": 0.03, "seed": 4, "epoch": 120})
my_network = json.dumps(board.state)

# %% grade_id: hand-answer
W = 3 * np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
b = np.array([-0.3, -0.3, -0.3, -0.3])
c = np.array([0.5, 0.5, -0.5, -0.5])
d = np.array([1e-6])

# %% grade_id: repeat-answer
def repeat_training(layers, seeds):
    return np.fromiter((playground.run(
        Playground({**BOARD, "layers": layers, "seed": s})).test_accuracy[-1] for s in seeds), dtype=float)

# %% grade_id: smallest-answer
def smallest_network(results):
    # At least half succeed: the upper median does.
    succeeded = (n for n in sorted(results) if sorted(results[n])[len(results[n]) // 2] > 0.95)
    return next(succeeded, None)

# %% grade_id: rank-answer
def rank_features(names, board=BOARD):
    def mean_accuracy(name):
        runs = [playground.run({**board, "layers": [], "features": ["x", "y", name], "seed": s}) for s in (1, 2)]
        return float(np.mean([run.test_accuracy[-1] for run in runs]))

    return [(n, a) for a, n in sorted(((mean_accuracy(name), name) for name in names), reverse=True)]
