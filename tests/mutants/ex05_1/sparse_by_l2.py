"""exercise: ex05_1
task: sparse
loses: all

The penalty of the sparse network is L2.
"""

# %% grade_id: sparse-answer
sparse = json.dumps({**json.loads(overtrained), "l2": 0.003})
