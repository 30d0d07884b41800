"""exercise: ex03_2

The formula with the inverse as printed, correlations from the definition, loops.
"""

# %% grade_id: split-answer
def split_wines(table, n_train, seed):
    rows = list(range(len(table)))
    np.random.default_rng(seed).shuffle(rows)
    first, second = rows[:n_train], rows[n_train:]
    return table[first, :-1], table[first, -1], table[second, :-1], table[second, -1]

# %% grade_id: correlation-answer
def feature_correlations(X, y):
    found = []
    for j in range(X.shape[1]):
        x = X[:, j]
        found.append(float(np.mean((x - np.mean(x)) * (y - np.mean(y))) / (np.std(x) * np.std(y))))
    return found

# %% grade_id: best-answer
def best_feature(X, y, names):
    best, strongest = None, -1.0
    for name, r in zip(names, feature_correlations(X, y)):
        if r**2 > strongest:
            best, strongest = name, r**2
    return best

# %% grade_id: weights-answer
def fit_weights(X, y):
    return np.linalg.inv(X.T @ X) @ X.T @ y

# %% grade_id: predict-answer
def predict(X, weights):
    return np.sum(X * weights, axis=-1)

# %% grade_id: judge-answer
def judge(predicted, true):
    deviation = predicted - true
    return np.corrcoef(np.stack([predicted, true]))[1, 0], deviation @ deviation / len(true)


learned = fit_weights(X_train, y_train)
test_prediction = np.array([predict(wine, learned) for wine in X_test])
test_correlation, test_error = judge(test_prediction, y_test)
