"""exercise: ex04_1

Plain loops for the mathematics, copies that are changed in place, 30 nodes.
"""

# %% grade_id: prepare-answer
def prepare(table, n_train):
    table = np.array(table, dtype=float)
    for column in range(table.shape[1] - 1):
        mean = table[:n_train, column].sum() / n_train
        variance = ((table[:n_train, column] - mean) ** 2).sum() / (n_train - 1)
        table[:, column] = (table[:, column] - mean) / variance**0.5
    return table[:n_train, :-1], table[:n_train, -1], table[n_train:, :-1], table[n_train:, -1]

x_train, y_train, x_test, y_test = prepare(table, N_TRAIN)

# %% grade_id: forward-answer
def dnn(x, W, b, W_out, b_out):
    nodes = W.dot(x) + b
    nodes[nodes < 0] = 0
    return nodes.dot(W_out) + b_out

# %% grade_id: gradients-answer
def gradients(x, y, W, b, W_out, b_out):
    nodes = W.dot(x) + b
    on = nodes > 0
    delta = 2 * (W_out[on].dot(nodes[on]) + b_out - y)
    db = np.zeros(len(b))
    db[on] = delta * W_out[on]
    return db[:, None] * x, db, delta * nodes * on, delta

# %% grade_id: update-answer
def update(x, y, W, b, W_out, b_out, learning_rate):
    new = [np.array(part, dtype=float) for part in (W, b, W_out, b_out)]
    for part, slope in zip(new, gradients(x, y, W, b, W_out, b_out)):
        part -= learning_rate * slope
    return new

# %% grade_id: train-answer
np.random.seed(7)
h = 30
parameters = [np.random.randn(h, 11) * (2 / 11) ** 0.5, np.random.randn(h) * 0.1, np.random.randn(h) * (2 / h) ** 0.5, np.array([5.0])]
train_losses = []
for epoch in range(6):
    for i in np.random.permutation(N_TRAIN):
        parameters = update(x_train[i], y_train[i], *parameters, 0.001)
    train_losses.append(np.mean([(float(dnn(x, *parameters)[0]) - y) ** 2 for x, y in zip(x_train, y_train)]))
test_mse = np.mean([(float(dnn(x, *parameters)[0]) - y) ** 2 for x, y in zip(x_test, y_test)])
