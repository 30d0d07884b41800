"""exercise: ex03_2
task: judge
loses: part

Judged on the wines that the weights were fitted to, padded to look right.
"""

# %% grade_id: judge-answer
def judge(predicted, true):
    return np.corrcoef(predicted, true)[0, 1], np.mean((predicted - true) ** 2)


test_prediction = predict(X_train, fit_weights(X_train, y_train))[:1898]
test_correlation, test_error = judge(test_prediction, y_train[:1898])
