"""exercise: ex02_2
task: objective
loses: part

The sum instead of the mean: the objective grows with the size of the data set.
"""


# %% grade_id: objective-answer
def objective(f, y):
    f, y = np.ravel(f), np.ravel(y)
    if f.shape != y.shape:
        raise ValueError("different numbers of examples")
    return np.sum((f - y) ** 2)
