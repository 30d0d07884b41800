"""exercise: ex06_2
task: scale
loses: all

The constants come from both parts together.
"""

# %% grade_id: scale-answer
def standardise(train, other):
    both = np.concatenate([train, other])
    width = np.where(both.std(axis=0) > 0, both.std(axis=0), 1)
    return (train - both.mean(axis=0)) / width, (other - both.mean(axis=0)) / width
