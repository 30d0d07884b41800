"""exercise: ex01_1
task: gini
loses: all
may also lose: best

The factor 2 is forgotten, so that an even mix has impurity 0.25.
"""

# %% grade_id: gini-answer
def gini(n_signal, n_background):
    total = n_signal + n_background
    if total == 0:
        return 0.0
    share = n_signal / total
    return share * (1 - share)
