"""exercise: ex02_2
task: epochs
loses: all

Every step is counted as an epoch.
"""


# %% grade_id: epochs-answer
def epochs_run(n_steps, k, d):
    return n_steps, True
