"""exercise: ex08_1

Two outputs with softmax, wrapped into a model that hands out one probability; another fully-connected rival; counts
from a two-by-two table; the uncertainty with n - 1.
"""

# %% grade_id: cnn-answer
keras.utils.set_random_seed(4)
two_classes = keras.Sequential(
    [
        keras.Input((None, None, 1)),
        keras.layers.Conv2D(12, 3, strides=2, padding="same"),
        keras.layers.LeakyReLU(),
        keras.layers.Conv2D(16, 3, strides=2, padding="same"),
        keras.layers.LeakyReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=4 * 50)
two_classes.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
two_classes.fit(images_train, labels_train.astype(int), batch_size=100, epochs=4, verbose=0)
cnn = keras.Sequential([keras.Input((None, None, 1)), two_classes, keras.layers.Lambda(lambda both: both[:, 1:])])

# %% grade_id: quoted-answer
cnn_probabilities = cnn.predict(images_test, verbose=0)[:, 0]
outcomes = (cnn_probabilities > 0.5) == (labels_test > 0.5)
cnn_accuracy, cnn_accuracy_error = outcomes.mean(), outcomes.std(ddof=1) / np.sqrt(outcomes.size)

# %% grade_id: temperature-answer
def accuracy_vs_T(temperatures, labels, probabilities):
    tenths = np.rint(np.asarray(temperatures, dtype=float) * 20).astype(int)
    right = np.equal(np.greater(probabilities, 0.5), np.greater(labels, 0.5))
    n, n_right = np.bincount(tenths), np.bincount(tenths, weights=right)
    filled = np.flatnonzero(n)
    share = n_right[filled] / n[filled]
    return [filled / 20, share, np.sqrt(share - share**2) / np.sqrt(n[filled])]

# %% grade_id: dense-answer
keras.utils.set_random_seed(6)
dense = keras.Sequential(
    [
        keras.Input((1024,)),
        keras.layers.Dense(64, activation="tanh"),
        keras.layers.Dropout(0.4),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
dense.compile(optimizer=keras.optimizers.Adam(0.002), loss="binary_crossentropy")
dense.fit(configurations[:N_TRAIN].reshape(N_TRAIN, -1), labels[:N_TRAIN], batch_size=250, epochs=5, verbose=0)

# %% grade_id: comparison-answer
def paired_comparison(right_first, right_second):
    table = np.bincount(2 * np.asarray(right_first, int) + np.asarray(right_second, int), minlength=4)
    n, n01, n10 = table.sum(), table[1], table[2]
    spread = np.std(np.asarray(right_first, int) - np.asarray(right_second, int), ddof=1)
    return {"n10": n10, "n01": n01, "difference": (n10 - n01) / n, "uncertainty": spread / np.sqrt(n)}


cnn_right = outcomes
dense_right = (dense.predict(configurations[N_TRAIN:].reshape(6000, 1024), verbose=0).ravel() > 0.5) == labels_test
comparison = paired_comparison(cnn_right, dense_right)
