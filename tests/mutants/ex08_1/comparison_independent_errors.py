"""exercise: ex08_1
task: comparison
loses: part

The binomial errors of the two accuracies are added in quadrature, as if the networks had judged different snapshots:
about twice too large.
"""

# %% grade_id: comparison-answer
def paired_comparison(right_first, right_second):
    n = len(right_first)
    n10, n01 = int(np.sum(right_first & ~right_second)), int(np.sum(~right_first & right_second))
    first, second = np.mean(right_first), np.mean(right_second)
    uncertainty = np.sqrt((first * (1 - first) + second * (1 - second)) / n)
    return {"n10": n10, "n01": n01, "difference": (n10 - n01) / n, "uncertainty": uncertainty}


cnn_right = (cnn_probabilities > 0.5) == (labels_test == 1)
dense_probabilities = dense.predict(images_test.reshape(6000, -1), batch_size=500, verbose=0).ravel()
dense_right = (dense_probabilities > 0.5) == (labels_test == 1)
comparison = paired_comparison(cnn_right, dense_right)
