"""exercise: ex02_1

No derivative at all: a grid that shrinks around its best point. The split sorts random numbers and returns lists.
"""


# %% grade_id: locate-answer
def locate(times, stations, vp, vs):
    times, stations = np.asarray(times), np.asarray(stations)
    centre, half = np.zeros(2), 60.0
    while half > 1e-4:
        axis = np.linspace(-half, half, 31)
        places = centre + np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
        away = np.linalg.norm(places[:, None] - stations, axis=2)
        gap = times - np.stack([away / vp, away / vs], axis=2).reshape(len(places), -1)
        centre = places[np.var(gap, axis=1).argmin()]
        half /= 3
    return centre.tolist()


# %% grade_id: split-answer
def split(n, fractions, seed):
    generator = np.random.RandomState(seed)
    order = np.argsort(generator.rand(n))
    n_train = int(n * fractions[0])
    n_validation = int(np.ceil(n * fractions[1]))
    return list(order[:n_train]), list(order[n_train : n_train + n_validation]), list(order[n_train + n_validation :])
