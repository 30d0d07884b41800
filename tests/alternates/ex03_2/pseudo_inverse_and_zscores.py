"""exercise: ex03_2

Pseudo-inverse, z-scores, another generator, an answer that is a list.
"""

# %% grade_id: split-answer
def split_wines(table, n_train, seed):
    order = np.argsort(np.random.RandomState(seed).rand(len(table)))
    train, test = np.split(table[order], [n_train])
    return train[:, :-1], train[:, -1], test[:, :-1], test[:, -1]

# %% grade_id: correlation-answer
def feature_correlations(X, y):
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    return z.T @ ((y - y.mean()) / y.std()) / len(y)

# %% grade_id: best-answer
def best_feature(X, y, names):
    return max(zip(np.abs(feature_correlations(X, y)), names))[1]

# %% grade_id: weights-answer
def fit_weights(X, y):
    return np.linalg.pinv(X) @ y

# %% grade_id: predict-answer
def predict(X, weights):
    return np.dot(np.asarray(X), np.asarray(weights))

# %% grade_id: judge-answer
import scipy.stats


def judge(predicted, true):
    return [float(scipy.stats.pearsonr(predicted, true)[0]), float(((predicted - true) ** 2).mean())]


test_prediction = list(predict(X_test, fit_weights(X_train, y_train)))
test_correlation, test_error = judge(np.array(test_prediction), y_test)
