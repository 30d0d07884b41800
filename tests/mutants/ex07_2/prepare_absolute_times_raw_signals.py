"""exercise: ex07_2
task: prepare
loses: all
may also lose: network, quoted

Two short cuts: the mean over all showers is subtracted instead of that of the shower, so that the input depends on when
the shower came, and the signals stay as they are, over three powers of ten. What is silent stays nan in the form test.
"""

# %% grade_id: prepare-answer
def prepare(times_s, signals_vem):
    relative_tens_us = 1e5 * (times_s - np.nanmean(times_s))
    maps = relative_tens_us, signals_vem / 1000
    return np.hstack([each.reshape(len(each), -1) for each in maps]).astype("float32")

# %% grade_id: network-answer
def estimate_energy_eev(inputs):
    return np.full(len(inputs), 17.0)
