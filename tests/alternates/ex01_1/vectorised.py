"""exercise: ex01_1

The larger value of two neighbours as threshold; scikit-learn's way of counting; a dictionary turned into a tuple.
"""

# %% grade_id: gini-answer
def gini(n_signal, n_background):
    total = max(n_signal + n_background, 1)
    return 2.0 * n_signal * n_background / total**2

# %% grade_id: best-answer
def best_cut(x, y):
    best = {"gain": -np.inf}
    for feature, column in enumerate(np.asarray(x).T):
        values, place = np.unique(column, return_inverse=True)
        signal = np.bincount(place, weights=y).cumsum()[:-1]
        events = np.bincount(place).cumsum()[:-1]
        others, other_signal = len(y) - events, np.sum(y) - signal
        after = signal * (events - signal) / events + other_signal * (others - other_signal) / others
        gains = np.mean(y) * (1 - np.mean(y)) - after / len(y)
        if 2 * gains.max() > best["gain"]:
            best = {"feature": feature, "threshold": values[gains.argmax() + 1], "gain": 2 * gains.max()}
    return best["feature"], best["threshold"], best["gain"]

# %% grade_id: metrics-answer
def leaf_metrics(counts):
    truth, votes = [], []
    for n_signal, n_background in counts:
        truth += [1] * n_signal + [0] * n_background
        votes += [int(n_signal > n_background)] * (n_signal + n_background)
    truth, votes = np.array(truth), np.array(votes)
    efficiency = votes[truth == 1].mean()
    purity = truth[votes == 1].mean() if votes.any() else 0.0
    return [efficiency, purity, np.mean(votes == truth)]
