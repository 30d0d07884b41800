"""exercise: ex05_1
task: measures
loses: part
may also lose: overtrained, held, sparse

The first rise of a noisy validation loss is taken for the beginning of overtraining. (No states are handed in, so
that nothing is replayed.)
"""

# %% grade_id: measures-answer
def generalisation_gap(history):
    return np.subtract(history["val_loss"], history["loss"])


def overtraining_epoch(history):
    losses = history["val_loss"]
    for epoch in range(len(losses) - 1):
        if losses[epoch + 1] > losses[epoch]:
            return epoch
    return None

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
