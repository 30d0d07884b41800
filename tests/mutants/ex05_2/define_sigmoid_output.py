"""exercise: ex05_2
task: define
loses: part
may also lose: train

The last node is a sigmoid: it never says more than 1. (Not trained.)
"""

# %% grade_id: define-answer
network = keras.Sequential(
    [keras.Input((1,)), keras.layers.Dense(30, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")]
)
n_parameters = 91

# %% grade_id: train-answer
history = {"loss": [], "val_loss": []}

# %% grade_id: snapshots-answer
snapshots = {}
