"""exercise: ex02_1
task: distance
loses: all

The P time alone times its speed: right only if the clock started with the quake.
"""


# %% grade_id: distance-answer
def sp_distance(tp, ts, vp, vs):
    return vp * np.asarray(tp)
