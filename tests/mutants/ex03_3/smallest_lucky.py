"""exercise: ex03_3
task: smallest
loses: all

One lucky run is enough.
"""

# %% grade_id: smallest-answer
def smallest_network(results):
    return min((n for n in results if max(results[n]) > 0.95), default=None)
