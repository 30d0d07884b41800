"""exercise: ex05_1
task: measures
loses: part
may also lose: overtrained, held, sparse

A validation loss that never rises: the last epoch is returned instead of None. (No states are handed in, so that
nothing is replayed.)
"""

# %% grade_id: measures-answer
def generalisation_gap(history):
    return np.subtract(history["val_loss"], history["loss"])


def overtraining_epoch(history):
    return int(np.argmin(history["val_loss"]))

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
