"""exercise: ex03_3
task: repeat
loses: all

Other points instead of other first weights.
"""

# %% grade_id: repeat-answer
def repeat_training(layers, seeds):
    return np.array([playground.run({**BOARD, "layers": layers, "data_seed": seed}).test_accuracy[-1] for seed in seeds])
