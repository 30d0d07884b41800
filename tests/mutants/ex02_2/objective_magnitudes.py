"""exercise: ex02_2
task: objective
loses: part

The mean of the magnitudes: another objective, with the median as its best answer.
"""


# %% grade_id: objective-answer
def objective(f, y):
    f, y = np.ravel(f), np.ravel(y)
    if f.shape != y.shape:
        raise ValueError("different numbers of examples")
    return np.mean(np.abs(f - y))
