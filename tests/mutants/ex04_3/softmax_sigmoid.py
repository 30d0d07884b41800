"""exercise: ex04_3
task: softmax
loses: all

A sigmoid for each entry: between 0 and 1, but the rows do not add up to one.
"""

# %% grade_id: softmax-answer
def softmax(z):
    return 1 / (1 + np.exp(-np.asarray(z)))
