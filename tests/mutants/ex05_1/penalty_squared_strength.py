"""exercise: ex05_1
task: penalty
loses: all
may also lose: overtrained, held, sparse

The strength is squared together with the weight. (No states are handed in, so that nothing is replayed.)
"""

# %% grade_id: penalty-answer
def l2_penalty(parameters, lam):
    return sum(np.sum((lam * array) ** 2) for array in parameters if np.ndim(array) == 2)


def l2_gradient(parameters, lam):
    return [2 * lam**2 * array * (np.ndim(array) == 2) for array in parameters]

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
