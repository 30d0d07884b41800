"""exercise: ex03_1

Loops, lists and explicit sums instead of slices and operators.
"""

# %% grade_id: versions-answer
from itertools import zip_longest


def too_old(installed, required):
    wanted = []
    for name in required:
        if name not in installed:
            wanted.append(name)
            continue
        for have, need in zip_longest(installed[name].split("."), required[name].split("."), fillvalue="0"):
            if int(have) != int(need):
                if int(have) < int(need):
                    wanted.append(name)
                break
    return wanted

# %% grade_id: product-answer
def combined(W_second, W_first):
    rows, columns, middle = len(W_second), len(W_first[0]), len(W_first)
    return [[sum(W_second[i][k] * W_first[k][j] for k in range(middle)) for j in range(columns)] for i in range(rows)]

# %% grade_id: table-answer
def cut(table, every=1):
    features, labels = [], []
    for number, row in enumerate(table):
        if number % every == 0:
            features.append(list(row[: len(row) - 1]))
            labels.append(row[len(row) - 1])
    return features, labels
