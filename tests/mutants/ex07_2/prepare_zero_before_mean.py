"""exercise: ex07_2
task: prepare
loses: part
may also lose: network, quoted

The holes are filled with zeros before the mean is taken: every silent station counts as one that was hit at time zero.
"""

# %% grade_id: prepare-answer
def prepare(times_s, signals_vem):
    times_tens_us = 1e5 * np.nan_to_num(times_s)
    relative_tens_us = times_tens_us - times_tens_us.mean(axis=(1, 2), keepdims=True)
    maps = relative_tens_us, np.log10(1 + np.nan_to_num(signals_vem))
    return np.hstack([each.reshape(len(each), -1) for each in maps]).astype("float32")
