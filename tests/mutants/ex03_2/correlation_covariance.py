"""exercise: ex03_2
task: correlation
loses: all
may also lose: best

The covariance: it depends on the units.
"""

# %% grade_id: correlation-answer
def feature_correlations(X, y):
    return (X - X.mean(axis=0)).T @ (y - y.mean()) / len(y)
