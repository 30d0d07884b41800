"""exercise: ex01_2
task: feature
loses: all

The product instead of the ratio: a feature of both observables, but the wrong one.
"""

# %% grade_id: feature-answer
def design_feature(s, t):
    return s * t
