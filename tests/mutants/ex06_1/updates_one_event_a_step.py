"""exercise: ex06_1
task: updates
loses: all

One step an event, whatever the batch.
"""

# %% grade_id: updates-answer
def n_updates(d, k, epochs=1, validation_share=0.0):
    return epochs * (d - int(d * validation_share))
