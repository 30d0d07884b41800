"""exercise: ex05_3
task: batch
loses: part
may also lose: deep, number

Marks as a column minus outputs as a row make a table of 5 x 5, whose mean is taken. (Nothing is trained.)
"""

# %% grade_id: batch-answer
def forward(x, W1, b1, W2, b2):
    return np.maximum(x @ W1 + b1, 0) @ W2 + b2


def batch_gradient(x, y, W1, b1, W2, b2):
    difference = np.mean(forward(x, W1, b1, W2, b2) - y, axis=0)
    return 2 * np.maximum(x @ W1 + b1, 0).T @ (difference * np.ones(len(x))) / len(x)


def steps_per_epoch(n_wines, batch_size):
    return -(-n_wines // batch_size)

# %% grade_id: deep-answer
deep = deep_history = None

# %% grade_id: number-answer
test_correlation = 2.0
