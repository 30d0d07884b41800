"""exercise: ex08_1
task: temperature
loses: part

The temperatures are sorted for the plot, the accuracies stay in the order in which the temperatures came: every point
sits at the wrong place.
"""

# %% grade_id: temperature-answer
def accuracy_vs_T(temperatures, labels, probabilities):
    right = (np.asarray(probabilities) > 0.5) == (np.asarray(labels) == 1)
    rounded = [round(float(value), 2) for value in temperatures]
    distinct = list(dict.fromkeys(rounded))  # in the order of appearance
    members = [np.array([value == one for one in rounded]) for value in distinct]
    shares = np.array([right[here].mean() for here in members])
    counts = np.array([here.sum() for here in members])
    return np.sort(distinct), shares, np.sqrt(shares * (1 - shares) / counts)
