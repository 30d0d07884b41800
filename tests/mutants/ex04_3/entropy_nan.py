"""exercise: ex04_3
task: entropy
loses: part

Zero times the logarithm of zero.
"""

# %% grade_id: entropy-answer
def cross_entropy(p, q):
    return -np.mean(np.sum(p * np.log(q), axis=1))
