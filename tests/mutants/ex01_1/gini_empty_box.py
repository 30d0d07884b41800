"""exercise: ex01_1
task: gini
loses: all

Nobody thought of the empty box: it divides by zero.
"""

# %% grade_id: gini-answer
def gini(n_signal, n_background):
    share = np.float64(n_signal) / np.float64(n_signal + n_background)
    return 2 * share * (1 - share)
