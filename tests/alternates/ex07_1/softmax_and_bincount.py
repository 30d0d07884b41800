"""exercise: ex07_1

Two outputs with softmax and integer labels, wrapped into a model that hands out the second probability; counting by
bincount.
"""

# %% grade_id: prepare-answer
def prepare(configurations, temperatures, n_train):
    n, height, width = configurations.shape
    flat = np.ascontiguousarray(configurations).reshape(n, height * width)
    phase = np.where(np.asarray(temperatures) < 2 / np.log(1 + np.sqrt(2)), 0, 1)
    return (flat[:n_train], phase[:n_train], flat[n_train:], phase[n_train:])

# %% grade_id: classifier-answer
keras.utils.set_random_seed(5)
two_classes = keras.Sequential(
    [
        keras.Input((1024,)),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dropout(0.4),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
two_classes.compile(optimizer=keras.optimizers.Adam(0.002), loss="sparse_categorical_crossentropy")
two_classes.fit(inputs_train.astype("float32"), labels_train, batch_size=200, epochs=5, verbose=0)
model = keras.Sequential([keras.Input((1024,)), two_classes, keras.layers.Lambda(lambda both: both[:, 1:])])

# %% grade_id: quoted-answer
chosen = two_classes.predict(inputs_test.astype("float32"), verbose=0).argmax(axis=1)
test_accuracy = float((chosen == labels_test).mean())
test_accuracy_error = float(np.std(chosen == labels_test) / np.sqrt(labels_test.size))

# %% grade_id: temperature-answer
def accuracy_by_T(temperatures, labels, probabilities):
    tenths = np.rint(np.asarray(temperatures, dtype=float) * 20).astype(int)
    right = np.equal(np.greater(probabilities, 0.5), np.greater(labels, 0.5))
    n, n_right = np.bincount(tenths), np.bincount(tenths, weights=right)
    filled = np.flatnonzero(n)
    share = n_right[filled] / n[filled]
    return [filled / 20, share, np.sqrt(share - share**2) / np.sqrt(n[filled])]
