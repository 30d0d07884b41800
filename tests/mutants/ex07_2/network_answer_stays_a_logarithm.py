"""exercise: ex07_2
task: network
loses: all

The network is good, but the answer is never turned back into an energy.
"""

# %% grade_id: network-answer
log_energies = np.log(energies_train)
center, spread = log_energies.mean(), log_energies.std()
model = keras.Sequential([keras.Input((392,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(inputs_train[:4000], ((log_energies - center) / spread)[:4000], batch_size=200, epochs=2, verbose=0)


def estimate_energy_eev(inputs):
    return model.predict(np.asarray(inputs, dtype="float32"), batch_size=500, verbose=0)[:, 0]
