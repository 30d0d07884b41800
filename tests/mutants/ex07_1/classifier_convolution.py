"""exercise: ex07_1
task: classifier
loses: part

Works well, but is the network of the next chapter: the row is folded back into a lattice and convolved. The exercise
asks for a fully-connected network.
"""

# %% grade_id: classifier-answer
keras.utils.set_random_seed(SEED)
model = keras.Sequential(
    [
        keras.Input((1024,)),
        keras.layers.Reshape((32, 32, 1)),
        keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
        keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(inputs_train[:6000], labels_train[:6000], batch_size=100, epochs=3, verbose=0)
