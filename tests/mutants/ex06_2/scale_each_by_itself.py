"""exercise: ex06_2
task: scale
loses: all

Each part is scaled by its own constants.
"""

# %% grade_id: scale-answer
def standardise(train, other):
    scale = lambda part: (part - part.mean(axis=0)) / np.where(part.std(axis=0) > 0, part.std(axis=0), 1)
    return scale(train), scale(other)
