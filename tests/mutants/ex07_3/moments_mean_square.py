"""exercise: ex07_3
task: moments
loses: part

The mean square is returned as the variance: the square of the mean is not subtracted.
"""

# %% grade_id: moments-answer
def selu(y):
    y = np.asarray(y, dtype=float)
    return 1.0507010 * np.where(y > 0, y, 1.6732632 * np.expm1(np.minimum(y, 0)))


def next_moments(activation, variance):
    u = np.linspace(-8, 8, 4001)
    weights = np.exp(-(u**2) / 2) / np.exp(-(u**2) / 2).sum()
    values = activation(np.sqrt(variance) * u)
    return weights @ values, weights @ values**2
