"""exercise: ex01_2
task: feature
loses: all

Short times are called invalid and become NaN.
"""

# %% grade_id: feature-answer
def design_feature(s, t):
    return np.where(t > 0.01, s / t, np.nan)
