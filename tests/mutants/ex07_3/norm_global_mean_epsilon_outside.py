"""exercise: ex07_3
task: norm
loses: all

One mean and one spread for all nodes together, epsilon added outside of the root, the momentum on the new value, and the
batch's own moments for predictions, too.
"""

# %% grade_id: norm-answer
def normalise_batch(y, gamma, beta, epsilon):
    return gamma * (y - y.mean()) / (epsilon + y.std()) + beta


def update_running(running_mean, running_variance, y, momentum):
    return (
        (1 - momentum) * running_mean + momentum * y.mean(axis=0),
        (1 - momentum) * running_variance + momentum * y.var(axis=0),
    )


def normalise_for_prediction(y, gamma, beta, running_mean, running_variance, epsilon):
    return normalise_batch(y, gamma, beta, epsilon)
