"""exercise: ex04_3
task: softmax
loses: part

One shift for the whole array: a row far below the others underflows to 0/0.
"""

# %% grade_id: softmax-answer
def softmax(z):
    exponentials = np.exp(z - np.max(z))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
