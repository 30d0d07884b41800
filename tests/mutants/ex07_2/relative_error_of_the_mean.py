"""exercise: ex07_2
task: relative
loses: part
may also lose: network

The error of a mean, sigma / sqrt(n), is given for the error of a standard deviation. (A quick linear network: this file
is about judging.)
"""

# %% grade_id: relative-answer
def relative_resolution(energies_eev, estimates_eev, edges_eev):
    energies_eev, estimates_eev = np.asarray(energies_eev), np.asarray(estimates_eev)
    relative = (estimates_eev - energies_eev) / energies_eev
    place = np.digitize(energies_eev, edges_eev) - 1
    groups = [relative[place == at] for at in range(len(edges_eev) - 1)]
    resolution = np.array([group.std() for group in groups])
    return resolution, resolution / np.sqrt([len(group) for group in groups])

# %% grade_id: network-answer
padded = np.hstack([inputs_train, np.ones((len(inputs_train), 1))])
weights = np.linalg.lstsq(padded, np.log(energies_train), rcond=None)[0]


def estimate_energy_eev(inputs):
    return np.exp(np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights)
