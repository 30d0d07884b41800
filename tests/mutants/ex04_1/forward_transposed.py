"""exercise: ex04_1
task: forward
loses: all
may also lose: gradients, update, train

W is transposed: works only when there are as many nodes as inputs.
"""

# %% grade_id: forward-answer
def dnn(x, W, b, W_out, b_out):
    hidden = np.maximum(W.T @ x + b, 0)
    return float(W_out @ hidden + b_out[0])
