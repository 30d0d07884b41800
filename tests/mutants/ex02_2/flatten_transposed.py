"""exercise: ex02_2
task: flatten
loses: all

Examples in columns: the table is transposed.
"""


# %% grade_id: flatten-answer
def flatten(batch):
    if isinstance(batch, dict):
        return np.concatenate([flatten(part) for part in batch.values()])
    return batch.reshape(len(batch), -1).T
