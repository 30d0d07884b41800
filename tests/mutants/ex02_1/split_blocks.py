"""exercise: ex02_1
task: split
loses: part

The table is cut into three blocks: the test part holds the latest quakes only.
"""


# %% grade_id: split-answer
def split(n, fractions, seed):
    rows = np.arange(n)
    first, second = round(n * fractions[0]), round(n * (fractions[0] + fractions[1]))
    return rows[:first], rows[first:second], rows[second:]
