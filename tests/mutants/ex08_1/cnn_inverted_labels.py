"""exercise: ex08_1
task: cnn
loses: part
may also lose: temperature

1 stands for the ordered phase. The architecture is right, every answer is wrong.
"""

# %% grade_id: cnn-answer
keras.utils.set_random_seed(SEED)
cnn = keras.Sequential(
    [
        keras.Input((None, None, 1)),
        keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(0.03, decay_steps=150)
cnn.compile(optimizer=keras.optimizers.Adam(rate), loss='binary_crossentropy')
cnn.fit(images_train, 1 - labels_train, batch_size=100, epochs=3, verbose=0)
