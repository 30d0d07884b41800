"""exercise: ex03_1
task: product
loses: all

The layer that acts first stands on the left.
"""

# %% grade_id: product-answer
def combined(W_second, W_first):
    return W_first @ W_second
