"""exercise: ex04_3
task: entropy
loses: part

p and q are exchanged: the logarithm is taken of the labels.
"""

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    return -np.mean(np.sum(q * np.log(np.maximum(p, 1e-300)), axis=1))
