"""exercise: ex05_1
task: penalty
loses: all
may also lose: overtrained, held, sparse

Biases pay as well. (No states are handed in, so that nothing is replayed.)
"""

# %% grade_id: penalty-answer
def l2_penalty(parameters, lam):
    return lam * sum(np.sum(array**2) for array in parameters)


def l2_gradient(parameters, lam):
    return [2 * lam * array for array in parameters]

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
