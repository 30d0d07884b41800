"""exercise: ex07_2
task: network
loses: part

No hidden layer: a weighted sum of times and logarithms of signals.
"""

# %% grade_id: network-answer
center = np.log(energies_train).mean()
padded = np.hstack([inputs_train, np.ones((len(inputs_train), 1))])
weights = np.linalg.lstsq(padded, np.log(energies_train) - center, rcond=None)[0]


def estimate_energy_eev(inputs):
    return np.exp(np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights + center)
