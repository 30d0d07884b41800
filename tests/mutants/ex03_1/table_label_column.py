"""exercise: ex03_1
task: table
loses: all

The labels keep a second axis, which later broadcasts.
"""

# %% grade_id: table-answer
def cut(table, every=1):
    return table[::every, :-1], table[::every, -1:]
