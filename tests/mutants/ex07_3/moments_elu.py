"""exercise: ex07_3
task: moments
loses: all

ELU: the factor lambda is forgotten, and alpha is 1.
"""

# %% grade_id: moments-answer
def selu(y):
    y = np.asarray(y, dtype=float)
    return np.where(y > 0, y, np.expm1(np.minimum(y, 0)))


def next_moments(activation, variance):
    u = np.linspace(-8, 8, 4001)
    weights = np.exp(-(u**2) / 2) / np.exp(-(u**2) / 2).sum()
    values = activation(np.sqrt(variance) * u)
    return weights @ values, weights @ values**2 - (weights @ values) ** 2
