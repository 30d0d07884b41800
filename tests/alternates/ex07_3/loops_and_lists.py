"""exercise: ex07_3

Loops and lists; the gradient by products from the left and from the right; moments by Gauss and Hermite.
"""

# %% grade_id: chain-answer
def chain_gradients(x, z, weights):
    weights = [float(weight) for weight in weights]
    left, right = [1.0], [1.0]
    for weight in weights:
        left.append(left[-1] * weight)
    for weight in reversed(weights):
        right.insert(0, right[0] * weight)
    return [2 * (x * left[-1] - z) * x * left[i] * right[i + 1] for i in range(len(weights))]

# %% grade_id: block-answer
def residual_block(x, W1, b1, W2, b2, Ws=None):
    rows = []
    for sample in np.asarray(x):
        inner = [max(0.0, value) for value in np.dot(sample, W1) + b1]
        past = sample if Ws is None else np.dot(sample, Ws)
        rows.append([max(0.0, value) for value in np.dot(inner, W2) + b2 + past])
    return rows

# %% grade_id: norm-answer
def normalise_for_prediction(y, gamma, beta, running_mean, running_variance, epsilon):
    slope = gamma / (running_variance + epsilon) ** 0.5
    return y * slope + (beta - slope * running_mean)


def normalise_batch(y, gamma, beta, epsilon):
    center = sum(y) / len(y)
    return normalise_for_prediction(y, gamma, beta, center, sum((y - center) ** 2) / len(y), epsilon)


def update_running(running_mean, running_variance, y, momentum):
    step = 1 - momentum
    return [running_mean + step * (np.mean(y, 0) - running_mean), running_variance + step * (np.var(y, 0) - running_variance)]

# %% grade_id: moments-answer
def selu(y):
    y = np.array(y, dtype=float)
    negative = y <= 0
    y[negative] = 1.6732632 * (np.exp(y[negative]) - 1)
    return 1.0507010 * y


def next_moments(activation, variance):
    points, weights = np.polynomial.hermite_e.hermegauss(150)
    weights = weights / weights.sum()
    values = activation(variance**0.5 * points)
    mean = (weights * values).sum()
    return mean, (weights * (values - mean) ** 2).sum()
