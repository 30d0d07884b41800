"""exercise: ex04_1
task: update
loses: all
may also lose: train

The step changes arrays of the notebook instead of those that were passed.
"""

# %% grade_id: update-answer
my_W, my_b = np.random.default_rng(1).normal(0, 0.4, (20, 11)), np.zeros(20)
my_W_out, my_b_out = np.random.default_rng(2).normal(0, 0.3, 20), np.zeros(1)


def update(x, y, W, b, W_out, b_out, learning_rate):
    global my_W, my_b, my_W_out, my_b_out
    if len(x) == 11:
        dW, db, dW_out, db_out = gradients(x, y, my_W, my_b, my_W_out, my_b_out)
        my_W, my_b = my_W - learning_rate * dW, my_b - learning_rate * db
        my_W_out, my_b_out = my_W_out - learning_rate * dW_out, my_b_out - learning_rate * db_out
    return W, b, W_out, b_out
