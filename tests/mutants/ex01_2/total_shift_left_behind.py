"""exercise: ex01_2
task: total
loses: all

The shifted array goes into the next round: every shift starts from the last one.
"""

# %% grade_id: total-answer
def total_systematic(f, X, relative_uncertainties):
    X, squares = np.array(X, dtype=float), 0.0
    for i, rel in enumerate(relative_uncertainties):
        squares += systematic_shift(f, X, i, rel) ** 2
        X[:, i] *= 1 + rel
    return squares**0.5
