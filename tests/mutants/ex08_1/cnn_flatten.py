"""exercise: ex08_1
task: cnn
loses: part
may also lose: temperature

The feature maps are flattened, as in most tutorials: the network is tied to 32 x 32 sites and learns every position
by itself.
"""

# %% grade_id: cnn-answer
keras.utils.set_random_seed(SEED)
cnn = keras.Sequential(
    [
        keras.Input((32, 32, 1)),
        keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(0.03, decay_steps=150)
cnn.compile(optimizer=keras.optimizers.Adam(rate), loss='binary_crossentropy')
cnn.fit(images_train, labels_train, batch_size=100, epochs=3, verbose=0)
