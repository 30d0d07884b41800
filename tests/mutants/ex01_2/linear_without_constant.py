"""exercise: ex01_2
task: linear
loses: all

The constant is forgotten: the line must go through the origin.
"""

# %% grade_id: linear-answer
def linear_r2(features, target):
    features = np.reshape(features, (len(target), -1))
    weights = np.linalg.lstsq(features, target, rcond=None)[0]
    return 1 - np.mean((features @ weights - target) ** 2) / np.var(target)
