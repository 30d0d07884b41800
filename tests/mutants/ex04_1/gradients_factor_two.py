"""exercise: ex04_1
task: gradients
loses: all
may also lose: update, train

The factor 2 of the square is missing.
"""

# %% grade_id: gradients-answer
def gradients(x, y, W, b, W_out, b_out):
    nodes = W @ x + b
    delta = 1 * (dnn(x, W, b, W_out, b_out) - y)
    handed_back = delta * W_out * (nodes > 0)
    return np.outer(handed_back, x), handed_back, delta * np.maximum(nodes, 0), np.array([delta])
