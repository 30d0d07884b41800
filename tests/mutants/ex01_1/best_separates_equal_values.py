"""exercise: ex01_1
task: best
loses: part

Every place in the sorted list is tried, also between two events with the same value, which no threshold separates.
"""

# %% grade_id: best-answer
def best_cut(x, y):
    n, best = len(y), (0, 0.0, -1.0)
    for feature in range(x.shape[1]):
        order = np.argsort(x[:, feature], kind="stable")
        values, labels = x[order, feature], y[order]
        n_left, signal_left = np.arange(1, n), np.cumsum(labels)[:-1]
        n_right, signal_right = n - n_left, labels.sum() - signal_left
        after = 2 * signal_left * (n_left - signal_left) / n_left + 2 * signal_right * (n_right - signal_right) / n_right
        gains = gini(labels.sum(), n - labels.sum()) - after / n
        place = int(np.argmax(gains))
        if gains[place] > best[2]:
            best = (feature, (values[place] + values[place + 1]) / 2, gains[place])
    return best
