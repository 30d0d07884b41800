"""exercise: ex04_3
task: softmax
loses: part

The sum runs over the events instead of the classes.
"""

# %% grade_id: softmax-answer
def softmax(z):
    exponentials = np.exp(z - np.max(z))
    return exponentials / exponentials.sum(axis=0)
