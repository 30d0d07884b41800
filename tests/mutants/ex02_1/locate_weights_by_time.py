"""exercise: ex02_1
task: locate
loses: part

The mean of the stations, weighted by one over the time: it never leaves the square of the stations.
"""


# %% grade_id: locate-answer
def locate(times, stations, vp, vs):
    weights = 1 / np.abs(np.asarray(times).reshape(-1, 2)[:, 0])
    return (weights[:, None] * stations).sum(axis=0) / weights.sum()
