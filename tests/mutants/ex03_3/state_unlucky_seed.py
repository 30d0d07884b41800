"""exercise: ex03_3
task: state
loses: all

Four nodes, but a start that ends at three fields of four: judged by its size, not by its result.
"""

# %% grade_id: state-answer
my_network = json.dumps({**BOARD, "layers": [4], "seed": 1})
