"""exercise: ex06_2

Explicit loops over columns; the sample standard deviation; a difference of means instead of a correlation.
"""

# %% grade_id: scale-answer
def standardise(train, other):
    first, second = np.zeros(train.shape), np.zeros(other.shape)
    for column in range(train.shape[1]):
        mean, width = train[:, column].mean(), train[:, column].std(ddof=1)
        if width == 0:
            width = 1.0
        first[:, column] = (train[:, column] - mean) / width
        second[:, column] = (other[:, column] - mean) / width
    return [first, second]

# %% grade_id: copies-answer
def leak_fraction(train, test):
    known = set(map(tuple, train))
    found = 0
    for row in test:
        found += tuple(row) in known
    return found / len(test)

# %% grade_id: honest-answer
def honest_accuracy(X, y, select_k):
    half = len(X) // 2
    scores = []
    for column in range(X.shape[1]):
        values = X[:half, column]
        scores.append(abs(values[y[:half] == 1].mean() - values[y[:half] == 0].mean()) / values.std())
    chosen = sorted(range(X.shape[1]), key=lambda column: -scores[column])[:select_k]
    signs = X[:half][y[:half] == 1][:, chosen].mean(axis=0) - X[:half][y[:half] == 0][:, chosen].mean(axis=0)
    middle = (X[:half][y[:half] == 1][:, chosen].mean(axis=0) + X[:half][y[:half] == 0][:, chosen].mean(axis=0)) / 2
    return np.mean(((X[half:][:, chosen] - middle) @ signs > 0) == (y[half:] == 1))
