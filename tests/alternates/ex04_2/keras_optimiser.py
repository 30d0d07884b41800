"""exercise: ex04_2

TensorFlow's operations and Keras' optimiser.
"""

# %% grade_id: layer-answer
class LinearLayer(keras.layers.Layer):
    def __init__(self, units=1):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.units, input_shape[-1]), initializer="random_normal", trainable=True)

    def call(self, inputs):
        return tf.linalg.matmul(inputs, self.kernel, transpose_b=True)

# %% grade_id: loss-answer
def mean_squared_error(y_true, y_pred):
    y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
    return tf.reduce_mean(tf.square(tf.squeeze(y_true) - tf.squeeze(y_pred)))

# %% grade_id: descent-answer
def train(x, y, learning_rate=0.1, n_epochs=80):
    layer = LinearLayer(1)
    layer.build(x.shape)
    optimiser = keras.optimizers.SGD(learning_rate)
    weights = [layer.get_weights()[0].item()]
    losses = [mean_squared_error(y, layer(x)).numpy()]
    for _ in range(n_epochs):
        with tf.GradientTape() as tape:
            loss = mean_squared_error(y, layer(x))
        optimiser.apply_gradients(zip(tape.gradient(loss, layer.trainable_weights), layer.trainable_weights))
        weights.append(layer.get_weights()[0].item())
        losses.append(mean_squared_error(y, layer(x)).numpy())
    return np.array(weights), np.array(losses)


weights, losses = train(x, y)

# %% grade_id: rates-answer
pass
