"""exercise: ex05_3
task: number
loses: all

The correlation on the training part is quoted.
"""

# %% grade_id: number-answer
test_correlation = np.corrcoef(deep.predict(parts[0][0], verbose=0)[:, 0], parts[0][1])[0, 1]
