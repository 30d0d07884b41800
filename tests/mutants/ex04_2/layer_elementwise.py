"""exercise: ex04_2
task: layer
loses: part
may also lose: descent

The product entry by entry: right for one input only.
"""

# %% grade_id: layer-answer
class LinearLayer(keras.layers.Layer):
    def __init__(self, units=1):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")

    def call(self, inputs):
        return inputs * self.w[:, 0]
