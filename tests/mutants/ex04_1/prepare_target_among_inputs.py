"""exercise: ex04_1
task: prepare
loses: all
may also lose: train

The mark stays among the inputs.
"""

# %% grade_id: prepare-answer
def prepare(table, n_train):
    mean, deviation = table[:n_train].mean(axis=0), table[:n_train].std(axis=0)
    scaled = (table - mean) / deviation
    return scaled[:n_train], table[:n_train, -1], scaled[n_train:], table[n_train:, -1]

x_train, y_train, x_test, y_test = prepare(table, N_TRAIN)
