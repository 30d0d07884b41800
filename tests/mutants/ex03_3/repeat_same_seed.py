"""exercise: ex03_3
task: repeat
loses: all

The seed never reaches the network: no spread.
"""

# %% grade_id: repeat-answer
def repeat_training(layers, seeds):
    return np.array([playground.run({**BOARD, "layers": layers}).test_accuracy[-1] for _ in seeds])
