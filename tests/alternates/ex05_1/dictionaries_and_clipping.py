"""exercise: ex05_1

Indices instead of dimensions, the soft threshold by two clips, and the states as bytes of JSON text.
"""

# %% grade_id: measures-answer
def generalisation_gap(history):
    return np.diff([history["loss"], history["val_loss"]], axis=0)[0]


def overtraining_epoch(history):
    order = np.argsort(history["val_loss"], kind="stable")
    return int(order[0]) if order[0] != len(order) - 1 else None

# %% grade_id: overtrained-answer
settings = dict(OPENING, layers=[8, 8, 8], optimiser="adam", learning_rate=0.01, data_seed=2, seed=1, epoch=200)
overtrained = json.dumps(settings)

# %% grade_id: penalty-answer
def l2_penalty(parameters, lam):
    kernels = np.concatenate([np.ravel(array) for array in parameters[::2]])
    return float(lam * kernels @ kernels)


def l2_gradient(parameters, lam):
    return [np.multiply(2 * lam * (1 - place % 2), array) for place, array in enumerate(parameters)]

# %% grade_id: shrink-answer
def soft_threshold(weights, t):
    return np.clip(weights - t, 0, None) + np.clip(weights + t, None, 0)


def sparsity(weights, eps):
    return 1 - np.count_nonzero(np.abs(weights) >= eps) / np.size(weights)
