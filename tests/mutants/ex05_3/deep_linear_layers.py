"""exercise: ex05_3
task: deep
loses: part
may also lose: number

The hidden layers have no activation: three affine maps are one.
"""

# %% grade_id: deep-answer
keras.utils.set_random_seed(SEED)
deep = keras.Sequential([keras.Input((11,)), *(keras.layers.Dense(n) for n in (20, 20, 20, 1))])
deep.compile(keras.optimizers.Adam(0.003), "mse", steps_per_execution=20)
deep_history = deep.fit(*parts[0], validation_data=parts[1], batch_size=100, epochs=2, verbose=0)

# %% grade_id: number-answer
test_correlation = 2.0
