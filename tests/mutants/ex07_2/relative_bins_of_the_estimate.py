"""exercise: ex07_2
task: relative
loses: part
may also lose: network

Bins and denominator are made of the estimated energy. (A quick linear network: this file is about judging.)
"""

# %% grade_id: relative-answer
def relative_resolution(energies_eev, estimates_eev, edges_eev):
    energies_eev, estimates_eev = np.asarray(energies_eev), np.asarray(estimates_eev)
    relative = (estimates_eev - energies_eev) / estimates_eev
    place = np.digitize(estimates_eev, edges_eev) - 1
    groups = [relative[place == at] for at in range(len(edges_eev) - 1)]
    resolution = np.array([group.std() for group in groups])
    return resolution, resolution / np.sqrt([2 * len(group) for group in groups])

# %% grade_id: network-answer
padded = np.hstack([inputs_train, np.ones((len(inputs_train), 1))])
weights = np.linalg.lstsq(padded, np.log(energies_train), rcond=None)[0]


def estimate_energy_eev(inputs):
    return np.exp(np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights)
