"""exercise: ex01_2

scikit-learn fits and scores; the feature by logarithms; columns are put together again; a loop with a running sum.
"""

# %% grade_id: linear-answer
from sklearn.linear_model import LinearRegression


def linear_r2(features, target):
    table = features[:, None] if np.ndim(features) == 1 else features
    return LinearRegression().fit(table, target).score(table, target)

# %% grade_id: feature-answer
def design_feature(s, t):
    return -2 * np.exp(np.log(s) - np.log(t)) + 3

# %% grade_id: shift-answer
def systematic_shift(f, X, i, rel):
    columns = [column * (1 + rel) if place == i else column for place, column in enumerate(np.transpose(X))]
    return f(np.column_stack(columns)).mean() - f(X).mean()

# %% grade_id: total-answer
def total_systematic(f, X, relative_uncertainties):
    total = 0.0
    for column in range(len(relative_uncertainties)):
        total = (total**2 + systematic_shift(f, X, column, relative_uncertainties[column]) ** 2) ** 0.5
    return total
