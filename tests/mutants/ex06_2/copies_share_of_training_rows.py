"""exercise: ex06_2
task: copies
loses: all

The training rows are counted.
"""

# %% grade_id: copies-answer
def leak_fraction(train, test):
    known = {tuple(row) for row in test.tolist()}
    return sum(tuple(row) in known for row in train.tolist()) / len(train)
