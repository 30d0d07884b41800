"""exercise: ex03_1

Tuples as keys, einsum, index arrays.
"""

# %% grade_id: versions-answer
def too_old(installed, required):
    def key(text):
        parts = tuple(map(int, text.split(".")))
        return parts + (0,) * (10 - len(parts))

    return tuple(name for name, oldest in required.items() if key(installed.get(name, "-1")) < key(oldest))

# %% grade_id: product-answer
def combined(W_second, W_first):
    return np.einsum("ij,jk->ik", W_second, W_first)

# %% grade_id: table-answer
def cut(table, every=1):
    rows = np.arange(0, table.shape[0], every)
    *features, labels = np.take(table, rows, axis=0).T
    return np.array(features).T, labels
