"""exercise: ex01_2
task: linear
loses: all

The correlation of fit and target instead of its square.
"""

# %% grade_id: linear-answer
def linear_r2(features, target):
    with_constant = np.column_stack([features, np.ones(len(target))])
    weights = np.linalg.lstsq(with_constant, target, rcond=None)[0]
    return np.corrcoef(with_constant @ weights, target)[0, 1]
