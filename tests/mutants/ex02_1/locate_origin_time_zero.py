"""exercise: ex02_1
task: locate
loses: part

Least squares with t = x / v, as if the clock had started with the quake: three seconds later everything is wrong.
"""


# %% grade_id: locate-answer
def locate(times, stations, vp, vs):
    from scipy.optimize import least_squares

    def deviations(places):
        distances = np.linalg.norm(np.asarray(places)[..., None, :] - stations, axis=-1)
        predicted = distances[..., None] / np.array([vp, vs])
        return times - predicted.reshape(*distances.shape[:-1], -1)

    axis = np.arange(-60, 60.1, 3.0)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    start = grid[np.argmin((deviations(grid) ** 2).sum(axis=1))]
    return least_squares(deviations, start, xtol=1e-12, ftol=1e-12, gtol=1e-12).x
