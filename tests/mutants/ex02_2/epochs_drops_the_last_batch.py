"""exercise: ex02_2
task: epochs
loses: part

Integer division: the last, smaller batch of each epoch is forgotten.
"""


# %% grade_id: epochs-answer
def epochs_run(n_steps, k, d):
    steps = max(d // k, 1)
    return n_steps // steps, n_steps % steps == 0
