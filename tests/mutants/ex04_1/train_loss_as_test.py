"""exercise: ex04_1
task: train
loses: part

The error on the training wines is reported as test error, with a network that has learned 150 wines by heart.
"""

# %% grade_id: train-answer
generator = np.random.default_rng(SEED)
parameters = generator.normal(0, 0.4, (20, 11)), np.zeros(20), generator.normal(0, 0.3, 20), np.zeros(1)
train_losses = []
for epoch in range(6):
    for index in generator.permutation(3000):
        parameters = update(x_train[index], y_train[index], *parameters, 1e-3)
    W, b, W_out, b_out = parameters
    train_losses.append(float(np.mean((np.maximum(x_train @ W.T + b, 0) @ W_out + b_out - y_train) ** 2)))
test_mse = train_losses[-1]
