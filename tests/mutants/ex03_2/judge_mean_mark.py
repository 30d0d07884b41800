"""exercise: ex03_2
task: judge
loses: all

Every wine gets the mean mark, and the correlation is made up.
"""

# %% grade_id: judge-answer
def judge(predicted, true):
    return 1 - np.mean((predicted - true) ** 2) / np.var(true), np.mean((predicted - true) ** 2)


test_prediction = np.full(1898, y_train.mean())
test_correlation, test_error = 0.509, np.mean((test_prediction - y_test) ** 2)
