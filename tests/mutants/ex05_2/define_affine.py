"""exercise: ex05_2
task: define
loses: part
may also lose: train

No layer has an activation: the network is a straight line. (Not trained.)
"""

# %% grade_id: define-answer
network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(30), keras.layers.Dense(1)])
n_parameters = 91

# %% grade_id: train-answer
history = {"loss": [], "val_loss": []}

# %% grade_id: snapshots-answer
snapshots = {}
