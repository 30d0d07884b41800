"""exercise: ex05_2
task: points
loses: all
may also lose: train

The noise has the shape (n, 1), the curve (n,): their sum is a table of n x n. (Nothing is trained on it.)
"""

# %% grade_id: points-answer
def make_points(n_points, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-10, 10, n_points)
    return x[:, None], curve(x) + rng.normal(size=(n_points, 1))

# %% grade_id: train-answer
history = {"loss": [], "val_loss": []}

# %% grade_id: snapshots-answer
snapshots = {}
