"""exercise: ex02_1

Gauss and Newton by hand, with the origin time as third parameter, from several starts; masks instead of slices.
"""


# %% grade_id: distance-answer
def sp_distance(tp, ts, vp, vs):
    return np.subtract(ts, tp) * vp * vs / (vp - vs)


# %% grade_id: locate-answer
def locate(times, stations, vp, vs):
    speeds = np.tile([vp, vs], len(stations))
    where = np.repeat(stations, 2, axis=0)
    best, best_sum = None, np.inf
    for start_x in (-25.0, 0.1, 25.0):
        for start_y in (-25.0, 0.2, 25.0):
            place = np.array([start_x, start_y])
            for _ in range(40):
                away = np.linalg.norm(place - where, axis=1) + 1e-9
                gap = times - away / speeds
                slopes = np.column_stack([(place - where) / (away * speeds)[:, None], np.ones(len(speeds))])
                step = np.linalg.lstsq(slopes, gap, rcond=None)[0][:2]
                place = place + step * min(1.0, 20.0 / (np.linalg.norm(step) + 1e-12))
            gap = times - np.linalg.norm(place - where, axis=1) / speeds
            total = np.sum((gap - gap.mean()) ** 2)
            if total < best_sum:
                best, best_sum = place, total
    return best


# %% grade_id: supervised-answer
def make_supervised(events):
    is_label = np.arange(10) < 2
    return events[:, ~is_label], events[:, is_label]
