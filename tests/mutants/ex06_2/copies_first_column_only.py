"""exercise: ex06_2
task: copies
loses: all

Only the first column is compared.
"""

# %% grade_id: copies-answer
def leak_fraction(train, test):
    return float(np.isin(test[:, 0], train[:, 0]).mean())
