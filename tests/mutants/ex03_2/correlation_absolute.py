"""exercise: ex03_2
task: correlation
loses: all

The sign is thrown away.
"""

# %% grade_id: correlation-answer
def feature_correlations(X, y):
    return np.array([abs(np.corrcoef(column, y)[0, 1]) for column in X.T])
