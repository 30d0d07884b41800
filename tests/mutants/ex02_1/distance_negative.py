"""exercise: ex02_1
task: distance
loses: all

P minus S instead of S minus P: the distance becomes negative.
"""


# %% grade_id: distance-answer
def sp_distance(tp, ts, vp, vs):
    return (np.asarray(tp) - np.asarray(ts)) / (1 / vs - 1 / vp)
