"""exercise: ex04_3
task: softmax
loses: part

One sum for the whole array: all probabilities of the batch together are one.
"""

# %% grade_id: softmax-answer
def softmax(z):
    exponentials = np.exp(z - np.max(z))
    return exponentials / exponentials.sum()
