"""exercise: ex04_1
task: forward
loses: all
may also lose: gradients, update, train

No activation: a straight line in disguise.
"""

# %% grade_id: forward-answer
def dnn(x, W, b, W_out, b_out):
    return float(W_out @ (W @ x + b) + b_out[0])
