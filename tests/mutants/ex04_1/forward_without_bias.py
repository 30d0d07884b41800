"""exercise: ex04_1
task: forward
loses: all
may also lose: gradients, update, train

The biases of the hidden nodes are forgotten.
"""

# %% grade_id: forward-answer
def dnn(x, W, b, W_out, b_out):
    return float(W_out @ np.maximum(W @ x, 0) + b_out[0])
