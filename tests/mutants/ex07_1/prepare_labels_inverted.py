"""exercise: ex07_1
task: prepare
loses: part
may also lose: classifier, quoted, temperature

1 is given to the ordered phase: students think of the magnet as the positive case. Everything that builds on the
labels is upside down afterwards.
"""

# %% grade_id: prepare-answer
def prepare(configurations, temperatures, n_train):
    inputs = configurations.reshape(len(configurations), -1).astype("float32")
    labels = (temperatures < CRITICAL_TEMPERATURE).astype("float32")
    return inputs[:n_train], labels[:n_train], inputs[n_train:], labels[n_train:]
