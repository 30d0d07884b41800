"""exercise: ex04_3
task: entropy
loses: part

The mean is taken over classes as well.
"""

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    return -np.mean(p * np.log(np.maximum(q, 1e-300)))
