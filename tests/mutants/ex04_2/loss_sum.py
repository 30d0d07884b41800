"""exercise: ex04_2
task: loss
loses: part
may also lose: descent

The sum instead of the mean.
"""

# %% grade_id: loss-answer
def mean_squared_error(y_true, y_pred):
    return keras.ops.sum((keras.ops.reshape(y_true, (-1,)) - keras.ops.reshape(y_pred, (-1,))) ** 2)
