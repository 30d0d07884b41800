"""exercise: ex05_1
task: shrink
loses: all
may also lose: overtrained, held, sparse

Small weights are pushed through zero to the other side; the sparsity forgets negative weights. (No states are handed
in, so that nothing is replayed.)
"""

# %% grade_id: shrink-answer
def soft_threshold(weights, t):
    return weights - t * np.sign(weights)


def sparsity(weights, eps):
    return np.mean(weights < eps)

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
