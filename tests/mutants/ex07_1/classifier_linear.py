"""exercise: ex07_1
task: classifier
loses: all
may also lose: temperature

No hidden layer: logistic regression. A weighted sum of spins changes its sign with them, so it cannot see |m| and
stays near 0.6.
"""

# %% grade_id: classifier-answer
model = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(inputs_train, labels_train, batch_size=200, epochs=3, verbose=0)
