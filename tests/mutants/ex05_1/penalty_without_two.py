"""exercise: ex05_1
task: penalty
loses: part
may also lose: overtrained, held, sparse

The factor two of the derivative is missing. (No states are handed in, so that nothing is replayed.)
"""

# %% grade_id: penalty-answer
def l2_penalty(parameters, lam):
    return lam * sum(np.sum(array**2) for array in parameters if np.ndim(array) == 2)


def l2_gradient(parameters, lam):
    return [lam * array * (np.ndim(array) == 2) for array in parameters]

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
