"""exercise: ex03_3
task: repeat
loses: all

Judged on the points that trained the network.
"""

# %% grade_id: repeat-answer
def repeat_training(layers, seeds):
    return np.array([playground.run({**BOARD, "layers": layers, "seed": s}).training_accuracy[-1] for s in seeds])
