"""exercise: ex01_2
task: shift
loses: all
may also lose: total

The shift is added instead of multiplied.
"""

# %% grade_id: shift-answer
def systematic_shift(f, X, i, rel):
    shifted = np.array(X, dtype=float)
    shifted[:, i] += rel
    return np.mean(f(shifted)) - np.mean(f(X))
