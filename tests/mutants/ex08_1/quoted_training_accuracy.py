"""exercise: ex08_1
task: quoted
loses: all

The accuracy on the training snapshots is quoted as test accuracy.
"""

# %% grade_id: quoted-answer
cnn_probabilities = cnn.predict(images_test, batch_size=500, verbose=0).ravel()
on_training = cnn.predict(images_train, batch_size=500, verbose=0).ravel()
cnn_accuracy = np.mean((on_training > 0.5) == (labels_train == 1))
cnn_accuracy_error = np.sqrt(cnn_accuracy * (1 - cnn_accuracy) / len(labels_test))
