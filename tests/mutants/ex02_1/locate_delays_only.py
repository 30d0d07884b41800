"""exercise: ex02_1
task: locate
loses: part

Circles from the delays only. They survive an unknown start, but throw half of the information away: 1.8 km instead
of 0.6.
"""


# %% grade_id: locate-answer
def locate(times, stations, vp, vs):
    from scipy.optimize import least_squares

    tp, ts = np.asarray(times).reshape(-1, 2).T
    radii = (ts - tp) / (1 / vs - 1 / vp)

    def misses(places):
        return np.linalg.norm(np.asarray(places)[..., None, :] - stations, axis=-1) - radii

    axis = np.arange(-60, 60.1, 3.0)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    start = grid[np.argmin((misses(grid) ** 2).sum(axis=1))]
    return least_squares(misses, start, xtol=1e-12, ftol=1e-12, gtol=1e-12).x
