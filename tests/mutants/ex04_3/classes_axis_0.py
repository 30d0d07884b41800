"""exercise: ex04_3
task: classes
loses: all

The largest entry of each column instead of each row.
"""

# %% grade_id: classes-answer
def predicted_classes(q):
    return np.argmax(q, axis=0)
