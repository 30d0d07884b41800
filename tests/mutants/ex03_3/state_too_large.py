"""exercise: ex03_3
task: state
loses: all

Eight nodes and the product among the inputs: it fits, but that was not the question.
"""

# %% grade_id: state-answer
my_network = json.dumps({**BOARD, "layers": [8], "features": ["x", "y", "xy"], "seed": 2})
