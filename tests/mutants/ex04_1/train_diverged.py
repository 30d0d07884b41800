"""exercise: ex04_1
task: train
loses: all

A learning rate of 1: nan within the first epoch.
"""

# %% grade_id: train-answer
generator = np.random.default_rng(SEED)
parameters = generator.normal(0, 0.4, (20, 11)), np.zeros(20), generator.normal(0, 0.3, 20), np.zeros(1)
train_losses = []
for epoch in range(2):
    for index in range(300):
        parameters = update(x_train[index], y_train[index], *parameters, 1.0)
    W, b, W_out, b_out = parameters
    train_losses.append(float(np.mean((np.maximum(x_train @ W.T + b, 0) @ W_out + b_out - y_train) ** 2)))
test_mse = train_losses[-1]
