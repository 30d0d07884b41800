"""exercise: ex08_1
task: cnn
loses: part
may also lose: temperature

The maximum of each map instead of its mean: the first global pooling that the completion offers. It asks whether a
pattern occurs anywhere, not how often.
"""

# %% grade_id: cnn-answer
keras.utils.set_random_seed(SEED)
cnn = keras.Sequential(
    [
        keras.Input((None, None, 1)),
        keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(0.03, decay_steps=150)
cnn.compile(optimizer=keras.optimizers.Adam(rate), loss='binary_crossentropy')
cnn.fit(images_train, labels_train, batch_size=100, epochs=3, verbose=0)
