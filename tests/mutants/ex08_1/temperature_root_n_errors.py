"""exercise: ex08_1
task: temperature
loses: part

The error of a counting experiment, the square root of the number of right answers, is used for a share: at 100 % it
is largest instead of zero.
"""

# %% grade_id: temperature-answer
def accuracy_vs_T(temperatures, labels, probabilities):
    distinct, group = np.unique(np.round(temperatures, 2), return_inverse=True)
    right = (np.asarray(probabilities) > 0.5) == (np.asarray(labels) == 1)
    count, n_right = np.bincount(group), np.bincount(group, weights=right)
    return distinct, n_right / count, np.sqrt(n_right) / count
