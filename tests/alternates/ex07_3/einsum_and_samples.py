"""exercise: ex07_3

The gradient from a matrix of factors, the block with einsum, normalisation by shared code, moments from the quantiles of
the normal distribution.
"""

# %% grade_id: chain-answer
def chain_gradients(x, z, weights):
    n = len(weights)
    factors = np.where(np.eye(n, dtype=bool), 1.0, np.asarray(weights)[None, :])
    others = factors.prod(axis=1)
    return 2 * (x * np.prod(weights) - z) * x * others

# %% grade_id: block-answer
def residual_block(x, W1, b1, W2, b2, Ws=None):
    Ws = np.eye(x.shape[1]) if Ws is None else Ws
    inner = np.clip(np.einsum("ni,ij->nj", x, W1) + b1, 0, None)
    return np.clip(np.einsum("nj,jk->nk", inner, W2) + np.einsum("ni,ik->nk", x, Ws) + b2, 0, None)

# %% grade_id: norm-answer
def _apply(y, gamma, beta, mean, variance, epsilon):
    return beta + gamma * (y - mean) * (variance + epsilon) ** -0.5


def normalise_batch(y, gamma, beta, epsilon):
    mean = np.average(y, axis=0)
    return _apply(y, gamma, beta, mean, np.average(y**2, axis=0) - mean**2, epsilon)


def update_running(running_mean, running_variance, y, momentum):
    now = np.stack([y.mean(axis=0), y.var(axis=0)])
    return tuple(momentum * np.stack([running_mean, running_variance]) + (1 - momentum) * now)


def normalise_for_prediction(y, gamma, beta, running_mean, running_variance, epsilon):
    return _apply(y, gamma, beta, running_mean, running_variance, epsilon)

# %% grade_id: moments-answer
def selu(y):
    y = np.asarray(y, dtype=float)
    return 1.0507010 * (np.maximum(y, 0) + 1.6732632 * (np.exp(np.minimum(y, 0)) - 1))


def next_moments(activation, variance):
    from scipy.stats import norm

    values = activation(np.sqrt(variance) * norm.ppf((np.arange(200_000) + 0.5) / 200_000))
    return values.mean(), values.var()
