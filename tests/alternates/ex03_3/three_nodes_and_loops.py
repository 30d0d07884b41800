"""exercise: ex03_3

Three nodes with a seed that works, a dictionary as state, three hidden nodes by hand, loops.
"""

# %% grade_id: state-answer
my_network = {**BOARD, "layers": [3], "seed": 4, "epoch": 60}

# %% grade_id: hand-answer
# |u| - |v| with u = x + y, v = x - y, and |v| = 2 ReLU(v) - v, |u| = 2 ReLU(u) - u: 2 ReLU(u) - 2 ReLU(v) - 2 y
W = [[1, 1], [1, -1], [0, 1], [0, -1]]
b = [0, 0, 0, 0]
c = [2, -2, -2, 2]
d = 0

# %% grade_id: repeat-answer
def repeat_training(layers, seeds):
    reached = []
    for seed in seeds:
        training = playground.run(dict(BOARD, layers=list(layers), seed=int(seed)))
        reached.append(float(training.test_accuracy[training.epoch]))
    return reached

# %% grade_id: smallest-answer
def smallest_network(results):
    good = []
    for n_nodes, accuracies in results.items():
        n_good = len([value for value in accuracies if value > 0.95])
        if 2 * n_good >= len(accuracies):
            good.append(n_nodes)
    return min(good) if good else None

# %% grade_id: rank-answer
def rank_features(names, board=BOARD):
    scores = {}
    for name in names:
        first, second = (
            playground.run(dict(board, layers=[], features=["x", "y", name], seed=seed)).test_accuracy[-1] for seed in (1, 2)
        )
        scores[name] = (first + second) / 2
    order = list(scores)
    order.sort(key=scores.get)
    return [(name, scores[name]) for name in order[::-1]]
