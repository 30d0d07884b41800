"""exercise: ex07_3
task: norm
loses: part

Node by node, but epsilon is added to the spread instead of to the variance. With a small epsilon nobody notices.
"""

# %% grade_id: norm-answer
def normalise_batch(y, gamma, beta, epsilon):
    return gamma * (y - y.mean(axis=0)) / (epsilon + y.std(axis=0)) + beta


def update_running(running_mean, running_variance, y, momentum):
    return (
        momentum * running_mean + (1 - momentum) * y.mean(axis=0),
        momentum * running_variance + (1 - momentum) * y.var(axis=0),
    )


def normalise_for_prediction(y, gamma, beta, running_mean, running_variance, epsilon):
    return gamma * (y - running_mean) / (epsilon + np.sqrt(running_variance)) + beta
