"""exercise: ex03_3
task: hand
loses: all

The XOR network of the unit square, whose threshold lies elsewhere: the four checked points may be right, the board is not.
"""

# %% grade_id: hand-answer
W = np.array([[1.0, 1.0], [-1.0, -1.0]])
b = np.zeros(2)
c = np.array([1.0, 1.0])
d = -2.5
