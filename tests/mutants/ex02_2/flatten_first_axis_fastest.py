"""exercise: ex02_2
task: flatten
loses: part

The order of Fortran: columns of a picture before its rows.
"""


# %% grade_id: flatten-answer
def flatten(batch):
    if isinstance(batch, dict):
        return np.concatenate([flatten(part) for part in batch.values()], axis=1)
    return np.array([np.ravel(example, order="F") for example in batch])
