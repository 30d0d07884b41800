"""exercise: ex02_2
task: epochs
loses: part

Examples shown divided by examples in the data, as if the last batch were full.
"""


# %% grade_id: epochs-answer
def epochs_run(n_steps, k, d):
    return n_steps * k // d, n_steps * k % d == 0
