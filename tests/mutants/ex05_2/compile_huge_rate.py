"""exercise: ex05_2
task: compile
loses: all
may also lose: train

A learning rate of 10. (Not trained.)
"""

# %% grade_id: compile-answer
network.compile(optimizer=keras.optimizers.SGD(10.0), loss="mse")

# %% grade_id: train-answer
history = {"loss": [], "val_loss": []}

# %% grade_id: snapshots-answer
snapshots = {}
