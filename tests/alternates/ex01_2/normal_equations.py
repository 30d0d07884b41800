"""exercise: ex01_2

Normal equations of centred data; kilometres per hour instead of metres per second; a list comprehension for the columns.
"""

# %% grade_id: linear-answer
def linear_r2(features, target):
    table = np.asarray(features, dtype=float).reshape(len(target), -1)
    table, goal = table - table.mean(axis=0), target - np.mean(target)
    weights = np.linalg.solve(table.T @ table, table.T @ goal)
    return 1 - np.sum((goal - table @ weights) ** 2) / np.sum(goal**2)

# %% grade_id: feature-answer
def design_feature(s, t):
    kilometres, hours = s / 1000, t / 3600
    return kilometres / hours

# %% grade_id: shift-answer
def systematic_shift(f, X, i, rel):
    factors = np.ones(np.shape(X)[1])
    factors[i] += rel
    return float(np.mean(f(X * factors) - f(X)))

# %% grade_id: total-answer
def total_systematic(f, X, relative_uncertainties):
    return np.linalg.norm([systematic_shift(f, X, i, rel) for i, rel in enumerate(relative_uncertainties)])
