"""exercise: ex04_2
task: loss
loses: part
may also lose: descent

All pairs are compared: (N,) minus (N, 1) is (N, N), and the minimum moves to w = 0.
"""

# %% grade_id: loss-answer
def mean_squared_error(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 2)
