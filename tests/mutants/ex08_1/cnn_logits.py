"""exercise: ex08_1
task: cnn
loses: all
may also lose: temperature

The last layer has no sigmoid and the loss is told so (from_logits=True). The training is right, but what comes out
are logits, not probabilities.
"""

# %% grade_id: cnn-answer
keras.utils.set_random_seed(SEED)
cnn = keras.Sequential(
    [
        keras.Input((None, None, 1)),
        keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(0.03, decay_steps=150)
cnn.compile(optimizer=keras.optimizers.Adam(rate), loss=keras.losses.BinaryCrossentropy(from_logits=True))
cnn.fit(images_train, labels_train, batch_size=100, epochs=3, verbose=0)
