"""exercise: ex03_2
task: best
loses: all

The largest signed correlation: strong negative ones are overlooked.
"""

# %% grade_id: best-answer
def best_feature(X, y, names):
    return names[int(np.argmax(feature_correlations(X, y)))]
