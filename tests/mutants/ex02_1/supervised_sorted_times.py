"""exercise: ex02_1
task: supervised
loses: part

The times of each quake are sorted: column 1 is then the earliest station, another one in every quake.
"""


# %% grade_id: supervised-answer
def make_supervised(events):
    return np.sort(events[:, 2:], axis=1), events[:, :2]
