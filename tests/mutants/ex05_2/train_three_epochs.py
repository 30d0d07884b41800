"""exercise: ex05_2
task: train
loses: part

Three epochs: the network has found the mean and little more.
"""

# %% grade_id: train-answer
keras.utils.set_random_seed(SEED)
x_train, y_train = make_points(2000, SEED)
history = network.fit(x_train, y_train, validation_split=0.3, epochs=3, batch_size=50, verbose=0)

# %% grade_id: snapshots-answer
snapshots = {}
