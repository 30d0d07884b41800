"""exercise: ex02_1
task: supervised
loses: part

Stations are ordered by their arrival, quake by quake, P and S kept together. The columns lose their meaning.
"""


# %% grade_id: supervised-answer
def make_supervised(events):
    times = events[:, 2:].reshape(len(events), 4, 2)
    order = np.argsort(times[:, :, 0], axis=1)
    return np.take_along_axis(times, order[:, :, None], axis=1).reshape(len(events), 8), events[:, :2]
