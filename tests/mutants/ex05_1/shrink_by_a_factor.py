"""exercise: ex05_1
task: shrink
loses: part
may also lose: overtrained, held, sparse

Every weight is multiplied by 1 - t, which is what L2 does: nothing becomes zero. (No states are handed in, so that
nothing is replayed.)
"""

# %% grade_id: shrink-answer
def soft_threshold(weights, t):
    return weights * (1 - t)


def sparsity(weights, eps):
    return np.mean(np.abs(weights) < eps)

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
