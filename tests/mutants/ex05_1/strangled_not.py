"""exercise: ex05_1
task: held
loses: part

The network that is only held back is handed in as strangled, too.
"""

# %% grade_id: held-answer
held_back = json.dumps({**json.loads(overtrained), "l2": 0.01})
strangled = held_back
