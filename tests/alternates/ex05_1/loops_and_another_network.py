"""exercise: ex05_1

Plain loops, lists instead of arrays, and another network on other data: two seeds further, four layers, a stronger
penalty.
"""

# %% grade_id: measures-answer
def generalisation_gap(history):
    return [there - here for here, there in zip(history["loss"], history["val_loss"])]


def overtraining_epoch(history):
    best, losses = 0, list(history["val_loss"])
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
    if best + 1 < len(losses):
        return best

# %% grade_id: overtrained-answer
START = {**OPENING, "layers": [8, 8, 8], "optimiser": "adam", "learning_rate": 0.01, "data_seed": 7, "seed": 1}
overtrained = json.dumps({**START, "epoch": 200}, indent=1)

# %% grade_id: penalty-answer
def l2_penalty(parameters, lam):
    total = 0.0
    for array in parameters:
        if len(np.shape(array)) > 1:
            for weight in np.ravel(array):
                total += lam * weight * weight
    return total


def l2_gradient(parameters, lam):
    slopes = []
    for array in parameters:
        slopes.append(lam * (array + array) if array.ndim > 1 else np.zeros_like(array))
    return tuple(slopes)

# %% grade_id: held-answer
held_back = json.dumps({**START, "epoch": 200, "l2": 0.03})
strangled = json.dumps({**START, "epoch": 60, "l2": 0.3})

# %% grade_id: shrink-answer
def soft_threshold(weights, t):
    return np.where(weights > t, weights - t, np.where(weights < -t, weights + t, 0.0))


def sparsity(weights, eps):
    flat = [abs(float(weight)) for weight in np.ravel(weights)]
    return sum(size < eps for size in flat) / len(flat)

# %% grade_id: sparse-answer
sparse = json.dumps({**START, "epoch": 200, "l1": 0.01})
