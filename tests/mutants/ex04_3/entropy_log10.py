"""exercise: ex04_3
task: entropy
loses: part

Decimal logarithm, as in the printed numbers.
"""

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    return -np.mean(np.sum(p * np.log10(np.maximum(q, 1e-300)), axis=1))
