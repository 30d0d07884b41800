"""exercise: ex08_1
task: cnn
loses: part
may also lose: temperature

The network was never fitted (or all its units died) and answers the same to everything; half of the temperatures lie
on either side.
"""

# %% grade_id: cnn-answer
cnn = keras.Sequential(
    [
        keras.Input((None, None, 1)),
        keras.layers.Conv2D(8, 3, activation="relu", kernel_initializer="zeros"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid", bias_initializer="ones"),
    ]
)
