"""exercise: ex04_2

einsum in the layer, Keras' own loss, weights set by hand.
"""

# %% grade_id: layer-answer
class LinearLayer(keras.layers.Layer):
    def __init__(self, units=1, **options):
        super().__init__(**options)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer="he_normal")
        self.built = True

    def call(self, inputs):
        return keras.ops.einsum("ni,iu->nu", inputs, self.w)

# %% grade_id: loss-answer
def mean_squared_error(y_true, y_pred):
    return keras.losses.MeanSquaredError()(keras.ops.reshape(y_true, (-1, 1)), keras.ops.reshape(y_pred, (-1, 1)))

# %% grade_id: descent-answer
def train(x, y, learning_rate=0.1, n_epochs=80):
    layer, history = LinearLayer(1), []
    for _ in range(n_epochs + 1):
        with tf.GradientTape() as tape:
            loss = mean_squared_error(y, layer(x))
        w = layer.get_weights()[0]
        history.append((w[0, 0], float(loss)))
        slope = tape.gradient(loss, layer.trainable_variables[0].value)
        layer.set_weights([w - learning_rate * np.asarray(slope)])
    return [row[0] for row in history], [row[1] for row in history]


weights, losses = train(x, y)

# %% grade_id: rates-answer
pass
