"""exercise: ex03_3
task: state
loses: all

No hidden layer: a straight line, and three fields of four at best.
"""

# %% grade_id: state-answer
my_network = json.dumps({**BOARD, "layers": []})
