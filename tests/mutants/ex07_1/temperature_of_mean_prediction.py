"""exercise: ex07_1
task: temperature
loses: all

The predictions of one temperature are averaged first and this one mean is judged: each temperature is then simply
right or wrong.
"""

# %% grade_id: temperature-answer
def accuracy_by_T(temperatures, labels, probabilities):
    temperatures, labels = np.round(temperatures, 2), np.asarray(labels)
    probabilities = np.asarray(probabilities)
    distinct, shares, errors = np.unique(temperatures), [], []
    for value in distinct:
        here = temperatures == value
        shares.append(float((probabilities[here].mean() > 0.5) == (labels[here].mean() > 0.5)))
        errors.append(np.sqrt(shares[-1] * (1 - shares[-1]) / here.sum()))
    return distinct, np.array(shares), np.array(errors)
