"""exercise: ex06_1
task: setup
loses: part

The number of the class is treated as a quantity.
"""

# %% grade_id: setup-answer
def output_for(question):
    return {
        "displacement": (1, "none", "mse"),
        "direction": (3, "none", "mse"),
        "signal": (1, "sigmoid", "binary_crossentropy"),
        "particle": (1, "none", "mse"),
        "faults": (6, "sigmoid", "binary_crossentropy"),
    }[question]
