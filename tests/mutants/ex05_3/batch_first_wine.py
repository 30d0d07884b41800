"""exercise: ex05_3
task: batch
loses: all
may also lose: deep, number

Only the first wine of the batch is looked at, and an incomplete last batch is dropped. (Nothing is trained.)
"""

# %% grade_id: batch-answer
def forward(x, W1, b1, W2, b2):
    return np.maximum(x @ W1 + b1, 0) @ W2 + b2


def batch_gradient(x, y, W1, b1, W2, b2):
    difference = forward(x, W1, b1, W2, b2) - np.ravel(y)
    return 2 * np.maximum(x @ W1 + b1, 0)[0] * difference[0]


def steps_per_epoch(n_wines, batch_size):
    return n_wines // batch_size

# %% grade_id: deep-answer
deep = deep_history = None

# %% grade_id: number-answer
test_correlation = 2.0
