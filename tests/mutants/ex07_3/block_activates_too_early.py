"""exercise: ex07_3
task: block
loses: part

The second ReLU acts on the branch alone, before the sum: the block can only ever add.
"""

# %% grade_id: block-answer
def residual_block(x, W1, b1, W2, b2, Ws=None):
    branch = np.maximum(np.maximum(x @ W1 + b1, 0) @ W2 + b2, 0)
    return branch + np.maximum(x if Ws is None else x @ Ws, 0)
