"""exercise: ex05_3
task: deep
loses: part
may also lose: number

One layer is used twice: the network has fewer parameters than it seems.
"""

# %% grade_id: deep-answer
keras.utils.set_random_seed(SEED)
again = keras.layers.Dense(20, activation="relu")
wine = keras.Input((11,))
hidden = again(again(keras.layers.Dense(20, activation="relu")(wine)))
deep = keras.Model(wine, keras.layers.Dense(1)(hidden))
deep.compile(keras.optimizers.Adam(0.003), "mse", steps_per_execution=20)
deep_history = deep.fit(*parts[0], validation_data=parts[1], batch_size=100, epochs=2, verbose=0)

# %% grade_id: number-answer
test_correlation = 2.0
