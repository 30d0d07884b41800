"""exercise: ex06_1
task: setup
loses: part

ReLU cannot give a negative displacement.
"""

# %% grade_id: setup-answer
def output_for(question):
    return {
        "displacement": (1, "relu", "mse"),
        "direction": (3, "none", "mse"),
        "signal": (1, "sigmoid", "binary_crossentropy"),
        "particle": (5, "softmax", "categorical_crossentropy"),
        "faults": (6, "sigmoid", "binary_crossentropy"),
    }[question]
