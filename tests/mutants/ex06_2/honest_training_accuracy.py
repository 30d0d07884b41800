"""exercise: ex06_2
task: honest
loses: part

The accuracy of the training part is returned.
"""

# %% grade_id: honest-answer
def honest_accuracy(X, y, select_k):
    half = len(X) // 2
    X, y = X[:half], y[:half]
    centred = X - X.mean(axis=0)
    correlation = centred.T @ (y - y.mean()) / centred.std(axis=0)
    chosen = np.argsort(-np.abs(correlation))[:select_k]
    centres = [X[y == kind][:, chosen].mean(axis=0) for kind in (0, 1)]
    distances = [((X[:, chosen] - centre) ** 2).sum(axis=1) for centre in centres]
    return float(((distances[1] < distances[0]) == y).mean())
