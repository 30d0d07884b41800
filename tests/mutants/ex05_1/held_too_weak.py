"""exercise: ex05_1
task: held
loses: part

A strength that changes nothing, and for the strangled network one that only holds it back.
"""

# %% grade_id: held-answer
held_back = json.dumps({**json.loads(overtrained), "l2": 0.0001})
strangled = json.dumps({**json.loads(overtrained), "l2": 0.1})
