"""exercise: ex05_1
task: penalty
loses: all
may also lose: overtrained, held, sparse

The mean of the squares instead of their sum: the strength then depends on the number of weights. (No states are
handed in, so that nothing is replayed.)
"""

# %% grade_id: penalty-answer
def l2_penalty(parameters, lam):
    return lam * sum(np.mean(array**2) for array in parameters if np.ndim(array) == 2)


def l2_gradient(parameters, lam):
    return [2 * lam * array * (np.ndim(array) == 2) / array.size for array in parameters]

# %% grade_id: overtrained-answer
overtrained = "{}"

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
