"""exercise: ex03_2
task: predict
loses: all
may also lose: judge

Marks are whole numbers, so the predictions are rounded.
"""

# %% grade_id: predict-answer
def predict(X, weights):
    return np.round(X @ weights)
