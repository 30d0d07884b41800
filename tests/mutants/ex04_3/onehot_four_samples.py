"""exercise: ex04_3
task: onehot
loses: part

The number of labels is written into the function.
"""

# %% grade_id: onehot-answer
def one_hot(labels, num_classes):
    table = np.zeros((4, num_classes))
    table[np.arange(4), labels] = 1
    return table
