"""exercise: ex07_1
task: temperature
loses: part

The spread of a single answer, sqrt(a(1-a)), is drawn as error of the mean of n answers.
"""

# %% grade_id: temperature-answer
def accuracy_by_T(temperatures, labels, probabilities):
    distinct, group = np.unique(np.round(temperatures, 2), return_inverse=True)
    right = (np.asarray(probabilities) > 0.5) == (np.asarray(labels) == 1)
    shares = np.bincount(group, weights=right) / np.bincount(group)
    return distinct, shares, np.sqrt(shares * (1 - shares))
