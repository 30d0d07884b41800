"""exercise: ex04_1
task: update
loses: all
may also lose: train

Plus instead of minus.
"""

# %% grade_id: update-answer
def update(x, y, W, b, W_out, b_out, learning_rate):
    slopes = gradients(x, y, W, b, W_out, b_out)
    return tuple(old + learning_rate * slope for old, slope in zip((W, b, W_out, b_out), slopes))
