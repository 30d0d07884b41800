"""exercise: ex08_1
task: temperature
loses: part

Exact equality of floating-point numbers decides which snapshots belong together, so that 2.2 and 2.2000001 become two
temperatures. With the bundled data it happens to work.
"""

# %% grade_id: temperature-answer
def accuracy_vs_T(temperatures, labels, probabilities):
    right = (np.asarray(probabilities) > 0.5) == (np.asarray(labels) == 1)
    distinct = np.unique(temperatures)
    shares = np.array([right[temperatures == value].mean() for value in distinct])
    counts = np.array([np.sum(temperatures == value) for value in distinct])
    return distinct, shares, np.sqrt(shares * (1 - shares) / counts)
