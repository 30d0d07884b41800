"""exercise: ex04_3
task: onehot
loses: part

The number of classes is read off the labels, so that a class that does not occur is missing.
"""

# %% grade_id: onehot-answer
def one_hot(labels, num_classes):
    return np.eye(np.max(labels) + 1)[labels]
