"""exercise: ex07_2
task: resolution
loses: all
may also lose: network, quoted

Truth minus estimate, so that the bias has the wrong sign, and the root mean square, which counts the bias into the
resolution. (A quick linear network: this file is about judging.)
"""

# %% grade_id: resolution-answer
def bias_and_resolution(energies_eev, estimates_eev):
    error_eev = np.asarray(energies_eev) - np.asarray(estimates_eev)
    return error_eev.mean(), np.sqrt(np.mean(error_eev**2))

# %% grade_id: network-answer
padded = np.hstack([inputs_train, np.ones((len(inputs_train), 1))])
weights = np.linalg.lstsq(padded, np.log(energies_train), rcond=None)[0]


def estimate_energy_eev(inputs):
    return np.exp(np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights)
