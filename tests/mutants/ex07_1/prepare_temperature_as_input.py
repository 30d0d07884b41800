"""exercise: ex07_1
task: prepare
loses: part
may also lose: classifier, quoted, temperature

The temperature is appended to the spins, 'because more information is better'. The label is a function of it, so that
the network could answer without looking at a single spin.
"""

# %% grade_id: prepare-answer
def prepare(configurations, temperatures, n_train):
    inputs = configurations.reshape(len(configurations), -1).astype("float32")
    inputs = np.column_stack([inputs, temperatures]).astype("float32")
    labels = (temperatures > CRITICAL_TEMPERATURE).astype("float32")
    return inputs[:n_train], labels[:n_train], inputs[n_train:], labels[n_train:]
