"""exercise: ex07_1
task: temperature
loses: part

Temperatures are turned into group numbers with astype(int), which cuts off: (1.1 - 1.0) / 0.1 is a hair below 1 in
floating-point arithmetic and lands in the group of 1.0.
"""

# %% grade_id: temperature-answer
def accuracy_by_T(temperatures, labels, probabilities):
    number = ((np.asarray(temperatures) - 1.0) / 0.1).astype(int)
    right = (np.asarray(probabilities) > 0.5) == (np.asarray(labels) == 1)
    distinct, group = np.unique(number, return_inverse=True)
    count = np.bincount(group)
    shares = np.bincount(group, weights=right) / count
    return 1.0 + 0.1 * distinct, shares, np.sqrt(shares * (1 - shares) / count)
