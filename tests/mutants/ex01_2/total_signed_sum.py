"""exercise: ex01_2
task: total
loses: all

The shifts are added with their signs, so that they cancel each other.
"""

# %% grade_id: total-answer
def total_systematic(f, X, relative_uncertainties):
    return abs(sum(systematic_shift(f, X, i, rel) for i, rel in enumerate(relative_uncertainties)))
