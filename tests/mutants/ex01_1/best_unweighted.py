"""exercise: ex01_1
task: best
loses: part

The plain mean of the impurities of the two boxes: a box with one event counts as much as one with a thousand.
"""

# %% grade_id: best-answer
def best_cut(x, y):
    best = (0, 0.0, -1.0)
    for feature in range(x.shape[1]):
        values = np.unique(x[:, feature])
        for threshold in (values[1:] + values[:-1]) / 2:
            left = x[:, feature] < threshold
            shares = [np.mean(y[side]) for side in (left, ~left)]
            after = sum(2 * share * (1 - share) for share in shares) / 2
            gain = 2 * np.mean(y) * (1 - np.mean(y)) - after
            if gain > best[2]:
                best = (feature, threshold, gain)
    return best
