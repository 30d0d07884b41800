"""exercise: ex04_3

Probabilities through logarithms, the loss through a mask, one-hot by comparison.
"""

# %% grade_id: onehot-answer
def one_hot(labels, num_classes):
    return (np.asarray(labels)[:, None] == np.arange(num_classes)).astype("float32")

# %% grade_id: softmax-answer
from scipy.special import logsumexp


def softmax(z):
    return np.exp(z - logsumexp(z, axis=-1, keepdims=True))

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    p, q = np.asarray(p), np.asarray(q)
    occupied = p > 0
    with np.errstate(divide="ignore"):
        return np.sum(p[occupied] * -np.log(q[occupied])) / len(p)

# %% grade_id: classes-answer
def predicted_classes(q):
    return np.argsort(q, axis=1)[:, -1]

# %% grade_id: accuracy-answer
def accuracy(labels, q):
    return np.count_nonzero(np.equal(predicted_classes(q), labels)) / np.size(labels)
