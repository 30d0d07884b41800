"""exercise: ex08_1

Functional API with max pooling instead of strides; loops for counting; parameters counted by building layers.
"""

# %% grade_id: cnn-answer
keras.utils.set_random_seed(3)
lattice = keras.Input(shape=(None, None, 1))
maps = keras.layers.Conv2D(8, (3, 3), padding="same", activation="relu")(lattice)
maps = keras.layers.MaxPooling2D()(maps)
maps = keras.layers.Conv2D(16, (3, 3), padding="same", activation="relu")(maps)
pooled = keras.layers.GlobalAveragePooling2D()(maps)
cnn = keras.Model(lattice, keras.layers.Dense(1, activation="sigmoid")(pooled))
rate = keras.optimizers.schedules.CosineDecay(0.02, 3 * 47)
cnn.compile(optimizer=keras.optimizers.Adam(rate), loss=keras.losses.BinaryCrossentropy())
cnn.fit(images_train[:3000], labels_train[:3000], batch_size=64, epochs=3, verbose=0)

# %% grade_id: temperature-answer
def accuracy_vs_T(temperatures, labels, probabilities):
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

# %% grade_id: parameters-answer
def conv_parameters(n_channels, kernel_height, kernel_width, n_filters):
    total = 0
    for _ in range(n_filters):
        total += kernel_height * kernel_width * n_channels + 1
    return total


def dense_parameters(n_inputs, n_outputs):
    return keras.Sequential([keras.Input((n_inputs,)), keras.layers.Dense(n_outputs)]).count_params()

# %% grade_id: comparison-answer
def paired_comparison(right_first, right_second):
    scores = [int(first) - int(second) for first, second in zip(right_first, right_second)]
    n = len(scores)
    mean = sum(scores) / n
    variance = sum((score - mean) ** 2 for score in scores) / n
    return {
        "n10": scores.count(1),
        "n01": scores.count(-1),
        "difference": mean,
        "uncertainty": (variance / n) ** 0.5,
    }


cnn_right = [bool((p > 0.5) == (label > 0.5)) for p, label in zip(cnn_probabilities, labels_test)]
dense_answers = dense.predict(images_test.reshape(6000, 1024), verbose=0)[:, 0]
dense_right = [bool((p > 0.5) == (label > 0.5)) for p, label in zip(dense_answers, labels_test)]
comparison = paired_comparison(cnn_right, dense_right)
