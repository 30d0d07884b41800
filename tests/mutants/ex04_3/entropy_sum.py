"""exercise: ex04_3
task: entropy
loses: part

The events are summed, not averaged.
"""

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    return -np.sum(p * np.log(np.maximum(q, 1e-300)))
