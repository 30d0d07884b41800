"""exercise: ex01_1

The impurity as 1 minus the sum of squares; a loop over all thresholds; the table of counts as an array.
"""

# %% grade_id: gini-answer
def gini(n_signal, n_background):
    if n_signal == 0 and n_background == 0:
        return 0
    shares = np.array([n_signal, n_background]) / (n_signal + n_background)
    return 1 - np.sum(shares**2)

# %% grade_id: best-answer
def best_cut(x, y):
    x, y = np.asarray(x), np.asarray(y) == 1
    candidates = []
    for feature in range(x.shape[1]):
        values = np.unique(x[:, feature])
        for low, high in zip(values, values[1:]):
            middle = low + (high - low) / 2
            left = x[:, feature] < middle
            after = 0.0
            for side in (left, ~left):
                after += np.mean(side) * gini(np.sum(y & side), np.sum(~y & side))
            candidates.append((gini(np.sum(y), np.sum(~y)) - after, feature, middle))
    gain, feature, threshold = max(candidates)
    return feature, threshold, gain

# %% grade_id: metrics-answer
def leaf_metrics(counts):
    table = np.array(counts, dtype=float)
    votes = table[:, 0] > table[:, 1]
    selected = table[votes].sum(axis=0)
    purity = selected[0] / selected.sum() if votes.any() else 0
    right = np.where(votes, table[:, 0], table[:, 1]).sum()
    return selected[0] / table[:, 0].sum(), purity, right / table.sum()
