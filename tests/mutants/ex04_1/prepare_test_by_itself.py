"""exercise: ex04_1
task: prepare
loses: part
may also lose: train

The test features are scaled with their own mean and standard deviation.
"""

# %% grade_id: prepare-answer
def prepare(table, n_train):
    features, target = table[:, :-1], table[:, -1]
    train, test = features[:n_train], features[n_train:]
    train, test = (train - train.mean(axis=0)) / train.std(axis=0), (test - test.mean(axis=0)) / test.std(axis=0)
    return train, target[:n_train], test, target[n_train:]

x_train, y_train, x_test, y_test = prepare(table, N_TRAIN)
