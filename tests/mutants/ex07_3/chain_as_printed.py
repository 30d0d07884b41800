"""exercise: ex07_3
task: chain
loses: all

The formula with a lost factor: neither the minus sign of the inner derivative nor x.
"""

# %% grade_id: chain-answer
def chain_gradients(x, z, weights):
    error = z - x * np.prod(weights)
    return np.array([2 * error * np.prod(np.delete(weights, layer)) for layer in range(len(weights))])
