"""exercise: ex01_2
task: linear
loses: all

Divided by the mean square of the target instead of its variance: adding 100 to the target changes the result.
"""

# %% grade_id: linear-answer
def linear_r2(features, target):
    with_constant = np.column_stack([features, np.ones(len(target))])
    weights = np.linalg.lstsq(with_constant, target, rcond=None)[0]
    return 1 - np.mean((with_constant @ weights - target) ** 2) / np.mean(target**2)
