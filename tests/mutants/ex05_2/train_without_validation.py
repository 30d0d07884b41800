"""exercise: ex05_2
task: train
loses: all

No validation data, and hardly trained: two epochs, everything left to chance.
"""

# %% grade_id: train-answer
keras.utils.set_random_seed(SEED)
x_train, y_train = make_points(500, SEED)
history = network.fit(x_train, y_train, epochs=2, verbose=0)

# %% grade_id: snapshots-answer
snapshots = {}
