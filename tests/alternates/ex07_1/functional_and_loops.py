"""exercise: ex07_1

Functional API with one wide layer, early stopping on a part of the training data, plain Python loops throughout.
"""

# %% grade_id: prepare-answer
def prepare(configurations, temperatures, n_train):
    rows = np.array([snapshot.ravel() for snapshot in configurations], dtype=float)
    disordered = np.array([1 if value > 2.27 else 0 for value in temperatures])
    train, test = slice(0, n_train), slice(n_train, None)
    return rows[train], disordered[train], rows[test], disordered[test]

# %% grade_id: classifier-answer
keras.utils.set_random_seed(SEED + 1)
spins = keras.Input(shape=(1024,))
hidden = keras.layers.Dropout(0.3)(keras.layers.Dense(64, activation="tanh")(spins))
probability = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dense(16, activation="relu")(hidden))
model = keras.Model(spins, probability)
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(
    inputs_train,
    labels_train,
    batch_size=250,
    epochs=6,
    validation_split=0.1,
    callbacks=[keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)],
    verbose=0,
)

# %% grade_id: quoted-answer
n_right = 0
answers = model.predict(inputs_test, verbose=0)
for answer, label in zip(answers[:, 0], labels_test):
    n_right += int(round(float(answer)) == int(label))
test_accuracy = n_right / len(labels_test)
test_accuracy_error = (test_accuracy * (1 - test_accuracy) / len(labels_test)) ** 0.5

# %% grade_id: temperature-answer
def accuracy_by_T(temperatures, labels, probabilities):
    temperatures = np.asarray(temperatures, dtype=float).reshape(-1)
    guesses = np.asarray(probabilities).reshape(-1) > 0.5
    groups = []
    for index in np.argsort(temperatures):
        if not groups or temperatures[index] - temperatures[groups[-1][0]] > 0.01:
            groups.append([])
        groups[-1].append(index)
    rows = []
    for members in groups:
        n_right = sum(bool(guesses[index]) == bool(labels[index]) for index in members)
        share = n_right / len(members)
        rows.append((temperatures[members].mean(), share, (share * (1 - share) / len(members)) ** 0.5))
    return tuple(np.array(column) for column in zip(*rows))
