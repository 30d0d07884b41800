"""exercise: ex02_1
task: supervised
loses: all

The labels are copied but not removed from the inputs: a leak.
"""


# %% grade_id: supervised-answer
def make_supervised(events):
    return events, events[:, :2]
