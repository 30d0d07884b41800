"""exercise: ex06_1

Loops instead of comprehensions, numpy integers, two softmax nodes for two classes.
"""

# %% grade_id: parameters-answer
def n_parameters(sizes, bias=True):
    total = np.int64(0)
    for position in range(1, len(sizes)):
        total += sizes[position - 1] * sizes[position]
        if bias:
            total += sizes[position]
    return total

# %% grade_id: updates-answer
def n_updates(d, k, epochs=1, validation_share=0.0):
    training_events = d - int(d * validation_share + 1e-9)
    steps = 0
    for _ in range(epochs):
        steps += len(range(0, training_events, k))
    return steps

# %% grade_id: setup-answer
def output_for(question):
    if question == "displacement":
        return 1, "none", "mse"
    if question == "direction":
        return 3, "none", "mse"
    if question == "signal":
        return 2, "softmax", "categorical_crossentropy"
    if question == "particle":
        return 5, "softmax", "categorical_crossentropy"
    return 6, "sigmoid", "binary_crossentropy"
