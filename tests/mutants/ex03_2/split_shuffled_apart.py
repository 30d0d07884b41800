"""exercise: ex03_2
task: split
loses: part
may also lose: best, judge

Features and marks are shuffled one after the other: every wine gets a stranger's mark.
"""

# %% grade_id: split-answer
def split_wines(table, n_train, seed):
    generator = np.random.default_rng(seed)
    X, y = generator.permutation(table[:, :-1]), generator.permutation(table[:, -1])
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]
