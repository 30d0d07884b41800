"""exercise: ex07_1
task: classifier
loses: all
may also lose: temperature

Regression instead of classification: a linear last node trained with the mean squared error on 0 and 1. Its output
is no probability, it leaves the range from 0 to 1.
"""

# %% grade_id: classifier-answer
keras.utils.set_random_seed(SEED)
model = keras.Sequential(
    [
        keras.Input((1024,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(inputs_train, labels_train, batch_size=200, epochs=4, verbose=0)
