"""exercise: ex07_2
task: quoted
loses: all
may also lose: network

Bias and resolution on the showers that the network was trained with. (A quick linear network: this file is about
judging.)
"""

# %% grade_id: quoted-answer
test_bias_eev, test_resolution_eev = bias_and_resolution(energies_train, estimate_energy_eev(inputs_train))

# %% grade_id: network-answer
padded = np.hstack([inputs_train, np.ones((len(inputs_train), 1))])
weights = np.linalg.lstsq(padded, np.log(energies_train), rcond=None)[0]


def estimate_energy_eev(inputs):
    return np.exp(np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights)
