"""exercise: ex07_2

A functional model of narrowing layers that predicts twice the decimal logarithm, statistics with ddof = 1, loops
everywhere, lists returned.
"""

# %% grade_id: prepare-answer
def prepare(times_s, signals_vem):
    rows = []
    for times, signals in zip(times_s, signals_vem):
        heard = np.isfinite(times)
        first, second = np.zeros(times.shape), np.zeros(times.shape)
        first[heard] = (times[heard] - times[heard].astype(float).mean()) * 1e5
        second[heard] = np.log10(1 + signals[heard])
        rows.append(np.concatenate([first.ravel(), second.ravel()]))
    return np.array(rows)

# %% grade_id: network-answer
keras.utils.set_random_seed(5)
given = keras.Input((392,))
hidden = given
for width in (80, 40, 40):
    hidden = keras.layers.Dense(width, activation="relu")(hidden)
network = keras.Model(given, keras.layers.Dense(1)(hidden))
rate = keras.optimizers.schedules.CosineDecay(0.003, decay_steps=6 * 100)
network.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
network.fit(inputs_train, 2 * np.log10(energies_train)[:, None] - 2.4, batch_size=200, epochs=6, verbose=0)


def estimate_energy_eev(inputs):
    return 10 ** (network.predict(inputs, batch_size=1000, verbose=0).ravel() / 2 + 1.2)

# %% grade_id: resolution-answer
def bias_and_resolution(energies_eev, estimates_eev):
    difference = np.subtract(estimates_eev, energies_eev)
    bias = sum(difference) / len(difference)
    return bias, np.sqrt(sum((difference - bias) ** 2) / (len(difference) - 1))

# %% grade_id: relative-answer
def relative_resolution(energies_eev, estimates_eev, edges_eev):
    resolution, error = [], []
    for at in range(len(edges_eev) - 1):
        ratios = [
            estimate / energy
            for energy, estimate in zip(energies_eev, estimates_eev)
            if edges_eev[at] <= energy < edges_eev[at + 1]
        ]
        resolution.append(np.std(ratios))
        error.append(np.std(ratios) / (2 * len(ratios)) ** 0.5)
    return resolution, error
