"""exercise: ex03_2
task: split
loses: part
may also lose: best, weights, judge

The mark stays among the features as a twelfth column.
"""

# %% grade_id: split-answer
def split_wines(table, n_train, seed):
    shuffled = table[np.random.default_rng(seed).permutation(len(table))]
    return shuffled[:n_train], shuffled[:n_train, -1], shuffled[n_train:], shuffled[n_train:, -1]
