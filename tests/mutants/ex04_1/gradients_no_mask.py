"""exercise: ex04_1
task: gradients
loses: part
may also lose: update, train

The slope of ReLU is forgotten: nodes that are off are trained, too.
"""

# %% grade_id: gradients-answer
def gradients(x, y, W, b, W_out, b_out):
    nodes = W @ x + b
    delta = 2 * (dnn(x, W, b, W_out, b_out) - y)
    handed_back = delta * W_out
    return np.outer(handed_back, x), handed_back, delta * np.maximum(nodes, 0), np.array([delta])
