"""exercise: ex04_2
task: layer
loses: all
may also lose: descent

A bias that nobody asked for.
"""

# %% grade_id: layer-answer
class LinearLayer(keras.layers.Layer):
    def __init__(self, units=1):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
        self.b = self.add_weight(shape=(self.units,), initializer="ones")

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.w) + self.b
