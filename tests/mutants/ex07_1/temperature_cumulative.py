"""exercise: ex07_1
task: temperature
loses: all

<= where == belongs: the share of right answers at this temperature and all lower ones. The dip at the transition is
washed out to the right.
"""

# %% grade_id: temperature-answer
def accuracy_by_T(temperatures, labels, probabilities):
    temperatures = np.round(temperatures, 2)
    right = (np.asarray(probabilities) > 0.5) == (np.asarray(labels) == 1)
    distinct = np.unique(temperatures)
    shares = np.array([right[temperatures <= value].mean() for value in distinct])
    counts = np.array([np.sum(temperatures <= value) for value in distinct])
    return distinct, shares, np.sqrt(shares * (1 - shares) / counts)
