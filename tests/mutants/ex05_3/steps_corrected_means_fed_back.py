"""exercise: ex05_3
task: steps
loses: all
may also lose: deep, number

The corrected means are remembered, as (4.48) can be read; and momentum forgets the sign of the gradient. (Nothing is
trained.)
"""

# %% grade_id: steps-answer
def momentum_step(w, v, gradient, learning_rate, beta):
    v = beta * v + learning_rate * gradient
    return w + v, v


def adam_step(w, m, s, gradient, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    m = (beta_1 * m + (1 - beta_1) * gradient) / (1 - beta_1**step)
    s = (beta_2 * s + (1 - beta_2) * gradient**2) / (1 - beta_2**step)
    return w - learning_rate * m / (np.sqrt(s) + epsilon), m, s

# %% grade_id: deep-answer
deep = deep_history = None

# %% grade_id: number-answer
test_correlation = 2.0
