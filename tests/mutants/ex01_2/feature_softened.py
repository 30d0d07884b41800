"""exercise: ex01_2
task: feature
loses: all

The denominator is softened against division by zero: fine for seconds, a product for milliseconds.
"""

# %% grade_id: feature-answer
def design_feature(s, t):
    return s / (t + 0.01)
