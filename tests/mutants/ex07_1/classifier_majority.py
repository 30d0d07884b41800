"""exercise: ex07_1
task: classifier
loses: all
may also lose: temperature

The network never learned (dead units, or fit was forgotten) and answers 'disordered' to everything. With 13 of 26
temperatures on either side that is right half of the time.
"""

# %% grade_id: classifier-answer
model = keras.Sequential(
    [
        keras.Input((1024,)),
        keras.layers.Dense(32, activation="relu", kernel_initializer="zeros"),
        keras.layers.Dense(1, activation="sigmoid", bias_initializer="ones"),
    ]
)
