"""exercise: ex08_1
task: temperature
loses: all

The mean predicted probability is drawn instead of the share of right answers: a fine order parameter, but no
accuracy.
"""

# %% grade_id: temperature-answer
def accuracy_vs_T(temperatures, labels, probabilities):
    distinct, group = np.unique(np.round(temperatures, 2), return_inverse=True)
    count = np.bincount(group)
    mean = np.bincount(group, weights=np.asarray(probabilities)) / count
    return distinct, mean, np.sqrt(mean * (1 - mean) / count)
