"""exercise: ex02_1
task: distance
loses: all

The delay is multiplied by the difference of the speeds, as if one wave ran after the other.
"""


# %% grade_id: distance-answer
def sp_distance(tp, ts, vp, vs):
    return (ts - tp) * (vp - vs)
