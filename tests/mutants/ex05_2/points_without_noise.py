"""exercise: ex05_2
task: points
loses: part
may also lose: train

The curve itself is handed out as data. (Nothing is trained on it.)
"""

# %% grade_id: points-answer
def make_points(n_points, seed):
    x = np.random.default_rng(seed).uniform(-10, 10, (n_points, 1))
    return x, curve(x)

# %% grade_id: train-answer
history = {"loss": [], "val_loss": []}

# %% grade_id: snapshots-answer
snapshots = {}
