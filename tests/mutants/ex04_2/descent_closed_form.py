"""exercise: ex04_2
task: descent
loses: part

The last weight is overwritten by that of least squares.
"""

# %% grade_id: descent-answer
def train(x, y, learning_rate=0.1, n_epochs=80):
    layer = LinearLayer(1)
    weights, losses = [], []
    for epoch in range(n_epochs + 1):
        with tf.GradientTape() as tape:
            loss = mean_squared_error(y, layer(x))
        weights.append(float(layer.w[0, 0]))
        losses.append(float(loss))
        layer.w.assign_sub(0.001 * tape.gradient(loss, layer.w.value))
    weights[-1] = float(x[:, 0] @ y / (x[:, 0] @ x[:, 0]))
    losses[-1] = float(np.mean((x[:, 0] * weights[-1] - y) ** 2))
    return weights, losses


weights, losses = train(x, y)
