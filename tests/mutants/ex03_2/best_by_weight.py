"""exercise: ex03_2
task: best
loses: all

The largest weight of the regression is taken for importance.
"""

# %% grade_id: best-answer
def best_feature(X, y, names):
    return names[int(np.argmax(np.abs(np.linalg.lstsq(X, y, rcond=None)[0])))]
