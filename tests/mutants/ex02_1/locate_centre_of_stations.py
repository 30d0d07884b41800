"""exercise: ex02_1
task: locate
loses: part

The mean of the station positions: the quake 'must have been near the stations'.
"""


# %% grade_id: locate-answer
def locate(times, stations, vp, vs):
    return np.mean(stations, axis=0)
