"""exercise: ex03_1
task: table
loses: all

The label stays among the features.
"""

# %% grade_id: table-answer
def cut(table, every=1):
    return table[::every], table[::every, -1]
