"""exercise: ex02_2
task: shapes
loses: part

The values of the points without their places: f instead of 3 + f.
"""


# %% grade_id: shapes-answer
def shape_of(kind, **sizes):
    if kind == "ensemble":
        return {name: (sizes["k"], *shape) for name, shape in sizes["parts"].items()}
    axes = {"events": "kn", "sequence": "kTn", "grid": "kHWC", "film": "kTHWC", "cloud": "kNf"}
    return tuple(sizes[axis] for axis in axes[kind])
