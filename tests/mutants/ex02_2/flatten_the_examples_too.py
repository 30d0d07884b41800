"""exercise: ex02_2
task: flatten
loses: all

Everything becomes one long vector; the axis of the examples is gone.
"""


# %% grade_id: flatten-answer
def flatten(batch):
    if isinstance(batch, dict):
        return np.concatenate([np.ravel(part) for part in batch.values()])
    return np.ravel(batch)
