"""exercise: ex06_2

Ready-made tools: a scaler, sorting and searching of rows, a logistic regression in a pipeline.
"""

# %% grade_id: scale-answer
from sklearn.preprocessing import StandardScaler


def standardise(train, other):
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(other)

# %% grade_id: copies-answer
def leak_fraction(train, test):
    as_bytes = lambda rows: [np.ascontiguousarray(row).tobytes() for row in np.asarray(rows, dtype=float)]
    return np.mean(np.isin(as_bytes(test), as_bytes(train)))

# %% grade_id: honest-answer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def honest_accuracy(X, y, select_k):
    half = len(X) // 2
    classifier = make_pipeline(SelectKBest(f_classif, k=select_k), LogisticRegression(max_iter=300))
    return classifier.fit(X[:half], y[:half]).score(X[half:], y[half:])
