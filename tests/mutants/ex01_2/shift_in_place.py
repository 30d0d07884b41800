"""exercise: ex01_2
task: shift
loses: all
may also lose: total

The array of the caller is shifted in place: the next shift starts from shifted data, and counts cannot be shifted.
"""

# %% grade_id: shift-answer
def systematic_shift(f, X, i, rel):
    before = np.mean(f(X))
    X[:, i] *= 1 + rel
    return np.mean(f(X)) - before
