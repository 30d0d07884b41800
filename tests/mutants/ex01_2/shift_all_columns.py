"""exercise: ex01_2
task: shift
loses: all
may also lose: total

All columns are shifted at once.
"""

# %% grade_id: shift-answer
def systematic_shift(f, X, i, rel):
    return np.mean(f(np.array(X) * (1 + rel))) - np.mean(f(X))
