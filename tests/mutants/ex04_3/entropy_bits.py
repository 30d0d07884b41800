"""exercise: ex04_3
task: entropy
loses: part

Logarithm to the base 2.
"""

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    return -np.mean(np.sum(p * np.log2(np.maximum(q, 1e-300)), axis=1))
