"""exercise: ex05_1
task: overtrained
loses: all
may also lose: held, sparse

A small network that has not learned the noise.
"""

# %% grade_id: overtrained-answer
overtrained = json.dumps({**OPENING, "layers": [4], "optimiser": "adam", "epoch": 20})

# %% grade_id: held-answer
held_back = strangled = "{}"

# %% grade_id: sparse-answer
sparse = "{}"
