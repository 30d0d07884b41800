"""exercise: ex07_1
task: quoted
loses: all

The accuracy on the training part is quoted. It is larger, because the network knows these snapshots.
"""

# %% grade_id: quoted-answer
answers = model.predict(inputs_train, batch_size=500, verbose=0).ravel()
test_accuracy = np.mean((answers > 0.5) == (labels_train == 1))
test_accuracy_error = np.sqrt(test_accuracy * (1 - test_accuracy) / len(labels_test))
