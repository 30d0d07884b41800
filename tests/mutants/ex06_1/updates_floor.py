"""exercise: ex06_1
task: updates
loses: all

The last, smaller batch is not counted.
"""

# %% grade_id: updates-answer
def n_updates(d, k, epochs=1, validation_share=0.0):
    return epochs * ((d - int(d * validation_share)) // k)
