"""exercise: ex03_2
task: split
loses: part

The file is cut in its own order.
"""

# %% grade_id: split-answer
def split_wines(table, n_train, seed):
    return table[:n_train, :-1], table[:n_train, -1], table[n_train:, :-1], table[n_train:, -1]
