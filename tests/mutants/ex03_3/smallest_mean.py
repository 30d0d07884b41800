"""exercise: ex03_3
task: smallest
loses: part

The mean accuracy is compared instead of counting runs that succeed.
"""

# %% grade_id: smallest-answer
def smallest_network(results):
    return min((n for n in results if np.mean(results[n]) > 0.95), default=None)
