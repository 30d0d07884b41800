"""exercise: ex08_1
task: comparison
loses: part

The dense network is judged on snapshots of the training part, the convolutional one on the test part: the rival looks
better than it is.
"""

# %% grade_id: comparison-answer
def paired_comparison(right_first, right_second):
    n = len(right_first)
    n10, n01 = int(np.sum(right_first & ~right_second)), int(np.sum(~right_first & right_second))
    uncertainty = np.sqrt(n10 + n01 - (n10 - n01) ** 2 / n) / n
    return {"n10": n10, "n01": n01, "difference": (n10 - n01) / n, "uncertainty": uncertainty}


cnn_right = (cnn_probabilities > 0.5) == (labels_test == 1)
dense_probabilities = dense.predict(images[:6000].reshape(6000, -1), batch_size=500, verbose=0).ravel()
dense_right = (dense_probabilities > 0.5) == (labels[:6000] == 1)
comparison = paired_comparison(cnn_right, dense_right)
