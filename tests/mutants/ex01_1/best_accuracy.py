"""exercise: ex01_1
task: best
loses: part

The share of right votes is maximised instead of the purity of the boxes; the gain that is returned belongs to that cut.
"""

# %% grade_id: best-answer
def best_cut(x, y):
    best, most = (0, 0.0, -1.0), -1.0
    for feature in range(x.shape[1]):
        values = np.unique(x[:, feature])
        for threshold in (values[1:] + values[:-1]) / 2:
            left = x[:, feature] < threshold
            sides = [(np.sum(y[side]), np.sum(side)) for side in (left, ~left)]
            right = sum(max(signal, n - signal) for signal, n in sides)
            if right > most:
                after = sum(n * gini(signal, n - signal) for signal, n in sides) / len(y)
                best, most = (feature, threshold, gini(y.sum(), len(y) - y.sum()) - after), right
    return best
