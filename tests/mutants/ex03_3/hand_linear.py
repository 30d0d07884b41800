"""exercise: ex03_3
task: hand
loses: all

One node that adds up: right in two fields and a half.
"""

# %% grade_id: hand-answer
W = np.array([[1.0, 1.0], [-1.0, -1.0]])
b = np.zeros(2)
c = np.array([1.0, -1.0])
d = 0.0
