"""exercise: ex06_1
task: updates
loses: all

The validation events are not taken away.
"""

# %% grade_id: updates-answer
def n_updates(d, k, epochs=1, validation_share=0.0):
    return epochs * math.ceil(d / k)
