"""exercise: ex05_2
task: train
loses: part

The validation data are points of the curve without noise: the loss falls below what noise allows.
"""

# %% grade_id: train-answer
keras.utils.set_random_seed(SEED)
x_train = np.linspace(-10, 10, 2000)[:, None]
x_check = np.linspace(-9.9, 9.9, 700)[:, None]
network.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 1280)), "mse", steps_per_execution=40)
history = network.fit(
    x_train,
    curve(x_train),
    validation_data=(x_check, curve(x_check)),
    validation_batch_size=700,
    epochs=32,
    batch_size=50,
    verbose=0,
)

# %% grade_id: snapshots-answer
snapshots = {}
