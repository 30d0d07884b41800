"""exercise: ex03_1
task: table
loses: all

The step is applied to the columns instead of the rows; with every=1 nobody sees it.
"""

# %% grade_id: table-answer
def cut(table, every=1):
    return table[:, :-1:every], table[:, -1]
