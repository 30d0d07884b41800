"""exercise: ex06_1
task: parameters
loses: all

The biases are forgotten.
"""

# %% grade_id: parameters-answer
def n_parameters(sizes, bias=True):
    return sum(before * after for before, after in zip(sizes[:-1], sizes[1:]))
