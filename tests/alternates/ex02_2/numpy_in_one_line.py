"""exercise: ex02_2

Vector norms, divmod and column_stack.
"""


# %% grade_id: objective-answer
def objective(f, y):
    difference = np.ravel(f) - np.ravel(y) if np.size(f) == np.size(y) else None
    if difference is None:
        raise ValueError
    return np.dot(difference, difference) / difference.size


# %% grade_id: epochs-answer
def epochs_run(n_steps, k, d):
    whole, rest = divmod(n_steps, int(np.ceil(d / k)))
    return float(whole), np.bool_(rest == 0)


# %% grade_id: shapes-answer
def shape_of(kind, k, **sizes):
    if kind == "ensemble":
        return {name: [k] + list(shape) for name, shape in sizes["parts"].items()}
    if kind == "cloud":
        return [k, sizes["N"], sizes["f"] + 3]
    return [k] + [sizes[axis] for axis in ("T", "H", "W", "C", "n") if axis in sizes]


# %% grade_id: flatten-answer
def flatten(batch):
    if isinstance(batch, dict):
        return np.hstack([flatten(part) for part in batch.values()])
    return np.asarray(batch).reshape(np.shape(batch)[0], int(np.prod(np.shape(batch)[1:])))
