"""exercise: ex03_2
task: judge
loses: part

The weights are fitted again, to the test wines.
"""

# %% grade_id: judge-answer
def judge(predicted, true):
    return np.corrcoef(predicted, true)[0, 1], np.mean((predicted - true) ** 2)


test_prediction = predict(X_test, fit_weights(X_test, y_test))
test_correlation, test_error = judge(test_prediction, y_test)
