"""exercise: ex06_2
task: scale
loses: all

A constant column is divided by zero.
"""

# %% grade_id: scale-answer
def standardise(train, other):
    with np.errstate(all="ignore"):
        return (train - train.mean(axis=0)) / train.std(axis=0), (other - train.mean(axis=0)) / train.std(axis=0)
