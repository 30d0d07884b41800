"""exercise: ex04_2
task: layer
loses: part
may also lose: descent

The weight is a constant that Keras does not know.
"""

# %% grade_id: layer-answer
class LinearLayer(keras.layers.Layer):
    def __init__(self, units=1):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = tf.random.normal((input_shape[-1], self.units))

    def call(self, inputs):
        return tf.matmul(inputs, self.w)
