"""exercise: ex07_3
task: chain
loses: part

The product without one factor by division: not a number where a weight is zero.
"""

# %% grade_id: chain-answer
def chain_gradients(x, z, weights):
    output = x * np.prod(weights)
    with np.errstate(all="ignore"):
        return -2 * (z - output) * output / np.asarray(weights)
