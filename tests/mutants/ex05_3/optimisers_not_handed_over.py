"""exercise: ex05_3
task: optimisers
loses: all
may also lose: deep, number

The optimiser with momentum is made, but the network is compiled with the name of another one. (Nothing is trained.)
"""

# %% grade_id: optimisers-answer
with_momentum, with_adam = (
    keras.Sequential([keras.Input((11,)), keras.layers.Dense(20, activation="relu"), keras.layers.Dense(1)])
    for _ in range(2)
)
optimiser = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)
with_momentum.compile(optimizer="sgd", loss="mse")
with_adam.compile(optimizer="adam", loss="mse")

# %% grade_id: deep-answer
deep = deep_history = None

# %% grade_id: number-answer
test_correlation = 2.0
