"""exercise: ex03_2
task: weights
loses: part
may also lose: judge

A hundred steps of gradient descent: enough for tame features, far from enough for wines.
"""

# %% grade_id: weights-answer
def fit_weights(X, y):
    weights, rate = np.zeros(X.shape[1]), 1 / np.linalg.norm(X, 2) ** 2
    for _ in range(100):
        weights -= rate * X.T @ (X @ weights - y)
    return weights
