"""exercise: ex06_1
task: parameters
loses: all

The inputs get biases too.
"""

# %% grade_id: parameters-answer
def n_parameters(sizes, bias=True):
    weights = sum(before * after for before, after in zip(sizes[:-1], sizes[1:]))
    return weights + (sum(sizes) if bias else 0)
