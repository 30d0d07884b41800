"""exercise: ex04_1
task: update
loses: part
may also lose: train

W_out is changed before it is used for the hidden layer.
"""

# %% grade_id: update-answer
def update(x, y, W, b, W_out, b_out, learning_rate):
    _, _, dW_out, db_out = gradients(x, y, W, b, W_out, b_out)
    W_out, b_out = W_out - learning_rate * dW_out, b_out - learning_rate * db_out
    dW, db, _, _ = gradients(x, y, W, b, W_out, b_out)
    return W - learning_rate * dW, b - learning_rate * db, W_out, b_out
