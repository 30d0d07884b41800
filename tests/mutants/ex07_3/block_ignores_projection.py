"""exercise: ex07_3
task: block
loses: part

The shortcut is cut to the width of the branch instead of being projected.
"""

# %% grade_id: block-answer
def residual_block(x, W1, b1, W2, b2, Ws=None):
    branch = np.maximum(x @ W1 + b1, 0) @ W2 + b2
    width = min(branch.shape[1], x.shape[1])
    branch[:, :width] += x[:, :width]
    return np.maximum(branch, 0)
