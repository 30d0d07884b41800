"""exercise: ex04_1
task: forward
loses: part
may also lose: gradients, update, train

ReLU also on the output: a prediction can no longer be negative.
"""

# %% grade_id: forward-answer
def dnn(x, W, b, W_out, b_out):
    hidden = np.maximum(W @ x + b, 0)
    return float(max(W_out @ hidden + b_out[0], 0))
