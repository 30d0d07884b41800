"""exercise: ex02_2
task: shapes
loses: part

Channels before rows and columns, as in other frameworks.
"""


# %% grade_id: shapes-answer
def shape_of(kind, **sizes):
    if kind == "ensemble":
        return {name: (sizes["k"], *shape) for name, shape in sizes["parts"].items()}
    if kind == "cloud":
        return (sizes["k"], sizes["N"], 3 + sizes["f"])
    axes = {"events": "kn", "sequence": "kTn", "grid": "kCHW", "film": "kTCHW"}
    return tuple(sizes[axis] for axis in axes[kind])
