"""exercise: ex03_2
task: weights
loses: all
may also lose: judge

X^T y without the inverse, and each feature fitted alone.
"""

# %% grade_id: weights-answer
def fit_weights(X, y):
    return X.T @ y / np.sum(X**2, axis=0)
