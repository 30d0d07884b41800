"""exercise: ex04_1
task: gradients
loses: all
may also lose: update, train

The outer product is the wrong way round.
"""

# %% grade_id: gradients-answer
def gradients(x, y, W, b, W_out, b_out):
    nodes = W @ x + b
    delta = 2 * (dnn(x, W, b, W_out, b_out) - y)
    handed_back = delta * W_out * (nodes > 0)
    return np.outer(x, handed_back), handed_back, delta * np.maximum(nodes, 0), np.array([delta])
