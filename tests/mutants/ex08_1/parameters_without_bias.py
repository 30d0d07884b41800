"""exercise: ex08_1
task: parameters
loses: all

The biases are forgotten, 27 instead of 28 for one filter.
"""

# %% grade_id: parameters-answer
def conv_parameters(n_channels, kernel_height, kernel_width, n_filters):
    return n_channels * kernel_height * kernel_width * n_filters


def dense_parameters(n_inputs, n_outputs):
    return n_inputs * n_outputs
