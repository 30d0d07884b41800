"""exercise: ex03_2
task: weights
loses: all

The function ignores its arguments and fits the training wines of the notebook.
"""

# %% grade_id: weights-answer
def fit_weights(X, y):
    return np.linalg.lstsq(X_train, y_train, rcond=None)[0]
