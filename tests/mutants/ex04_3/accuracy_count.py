"""exercise: ex04_3
task: accuracy
loses: all

The number of right answers instead of their share.
"""

# %% grade_id: accuracy-answer
def accuracy(labels, q):
    return np.sum(np.argmax(q, axis=1) == labels)
