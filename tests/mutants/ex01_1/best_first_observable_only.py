"""exercise: ex01_1
task: best
loses: part

Only observable 0 is searched, because it is the best one in the example.
"""

# %% grade_id: best-answer
def best_cut(x, y):
    best = (0, 0.0, -1.0)
    for feature in range(1):
        values = np.unique(x[:, feature])
        for threshold in (values[1:] + values[:-1]) / 2:
            left = x[:, feature] < threshold
            sides = [(np.sum(y[side]), np.sum(side)) for side in (left, ~left)]
            after = sum(n * gini(signal, n - signal) for signal, n in sides) / len(y)
            gain = gini(y.sum(), len(y) - y.sum()) - after
            if gain > best[2]:
                best = (feature, threshold, gain)
    return best
