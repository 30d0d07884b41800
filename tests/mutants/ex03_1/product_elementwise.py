"""exercise: ex03_1
task: product
loses: all

Multiplied entry by entry; for square matrices no error appears.
"""

# %% grade_id: product-answer
def combined(W_second, W_first):
    return W_second * W_first
