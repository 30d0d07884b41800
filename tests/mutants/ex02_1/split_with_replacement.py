"""exercise: ex02_1
task: split
loses: part

Every part is drawn on its own: parts overlap, and rows occur twice.
"""


# %% grade_id: split-answer
def split(n, fractions, seed):
    generator = np.random.default_rng(seed)
    return tuple(generator.integers(0, n, round(n * fraction)) for fraction in fractions)
