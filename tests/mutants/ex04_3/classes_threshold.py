"""exercise: ex04_3
task: classes
loses: all

Only probabilities above one half count: an unsure event gets class 0.
"""

# %% grade_id: classes-answer
def predicted_classes(q):
    return np.argmax(np.asarray(q) > 0.5, axis=1)
