"""exercise: ex07_1
task: prepare
loses: part
may also lose: classifier, quoted, temperature

The snapshots are sorted by temperature before the cut, out of tidiness. The test part then holds the hottest
snapshots only, at temperatures that the network never saw.
"""

# %% grade_id: prepare-answer
def prepare(configurations, temperatures, n_train):
    order = np.argsort(temperatures, kind="stable")
    inputs = configurations[order].reshape(len(order), -1).astype("float32")
    labels = (temperatures[order] > CRITICAL_TEMPERATURE).astype("float32")
    return inputs[:n_train], labels[:n_train], inputs[n_train:], labels[n_train:]
