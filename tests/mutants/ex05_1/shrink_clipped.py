"""exercise: ex05_1
task: shrink
loses: part
may also lose: overtrained, held, sparse

Large weights are cut to the threshold and small ones are left alone: the opposite. (No states are handed in, so that
nothing is replayed.)
"""

# %% grade_id: shrink-answer
def soft_threshold(weights, t):
    return np.clip(weights, -t, t)


def sparsity(weights, eps):
    return np.mean(np.abs(weights) < eps)

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
