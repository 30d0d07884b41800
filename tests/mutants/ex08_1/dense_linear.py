"""exercise: ex08_1
task: dense
loses: all

The rival has no hidden layer. Beating logistic regression proves nothing about convolutions.
"""

# %% grade_id: dense-answer
dense = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(1, activation="sigmoid")])
dense.compile(optimizer="adam", loss="binary_crossentropy")
dense.fit(images[:N_TRAIN].reshape(N_TRAIN, -1), labels[:N_TRAIN], batch_size=200, epochs=2, verbose=0)
