"""exercise: ex04_3

Plain Python: loops, lists and math, no arrays.
"""

# %% grade_id: onehot-answer
def one_hot(labels, num_classes):
    return [[1.0 if column == label else 0.0 for column in range(num_classes)] for label in labels]

# %% grade_id: softmax-answer
import math


def softmax(z):
    if np.ndim(z) > 1:
        return [softmax(row) for row in z]
    largest = max(z)
    exponentials = [math.exp(value - largest) for value in z]
    return [value / sum(exponentials) for value in exponentials]

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    losses = []
    for true_row, row in zip(p, q):
        loss = 0.0
        for true_share, share in zip(true_row, row):
            if true_share > 0:
                loss -= true_share * (math.log(share) if share > 0 else -1e3)
        losses.append(loss)
    return sum(losses) / len(losses)

# %% grade_id: classes-answer
def predicted_classes(q):
    return [list(row).index(max(row)) for row in q]

# %% grade_id: accuracy-answer
def accuracy(labels, q):
    right = [chosen == label for chosen, label in zip(predicted_classes(q), labels)]
    return right.count(True) / len(right)
