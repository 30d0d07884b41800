"""exercise: ex05_1
task: measures
loses: all
may also lose: overtrained, held, sparse

The epoch of the highest validation loss, and one gap between the lowest values of different epochs. (No states are
handed in, so that nothing is replayed.)
"""

# %% grade_id: measures-answer
def generalisation_gap(history):
    return [min(history["val_loss"]) - min(history["loss"])] * len(history["loss"])


def overtraining_epoch(history):
    highest = int(np.argmax(history["val_loss"]))
    return None if highest == len(history["val_loss"]) - 1 else highest

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
