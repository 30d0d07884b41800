"""exercise: ex02_2
task: objective
loses: part

The formula as it stands. (k, 1) minus (k,) silently becomes a table of all pairs.
"""


# %% grade_id: objective-answer
def objective(f, y):
    return np.mean((np.asarray(f) - np.asarray(y)) ** 2)
