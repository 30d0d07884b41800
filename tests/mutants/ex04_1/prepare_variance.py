"""exercise: ex04_1
task: prepare
loses: part
may also lose: train

Divided by the variance instead of its root.
"""

# %% grade_id: prepare-answer
def prepare(table, n_train):
    features, target = table[:, :-1], table[:, -1]
    scaled = (features - features[:n_train].mean(axis=0)) / features[:n_train].var(axis=0)
    return scaled[:n_train], target[:n_train], scaled[n_train:], target[n_train:]

x_train, y_train, x_test, y_test = prepare(table, N_TRAIN)
