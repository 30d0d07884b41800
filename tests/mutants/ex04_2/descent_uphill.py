"""exercise: ex04_2
task: descent
loses: all

Plus instead of minus.
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
        layer.w.assign_add(learning_rate * tape.gradient(loss, layer.w.value))
    return weights, losses


weights, losses = train(x, y)
