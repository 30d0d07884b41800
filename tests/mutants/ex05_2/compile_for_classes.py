"""exercise: ex05_2
task: compile
loses: all
may also lose: train

Cross-entropy is for classes, not for measured numbers. (Not trained.)
"""

# %% grade_id: compile-answer
network.compile(optimizer="adam", loss="binary_crossentropy")

# %% grade_id: train-answer
history = {"loss": [], "val_loss": []}

# %% grade_id: snapshots-answer
snapshots = {}
