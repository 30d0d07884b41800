"""exercise: ex06_1
task: parameters
loses: part

All sizes are multiplied with each other.
"""

# %% grade_id: parameters-answer
def n_parameters(sizes, bias=True):
    return math.prod(sizes) + (sum(sizes[1:]) if bias else 0)
