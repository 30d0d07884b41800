"""exercise: ex02_2

Guards first, shapes by cases.
"""


# %% grade_id: objective-answer
def objective(f, y):
    f = np.array(f, dtype="float64").flatten()
    y = np.array(y, dtype="float64").flatten()
    if f.size != y.size:
        raise ValueError(f"{f.size} answers, {y.size} labels")
    return np.mean(np.square(np.abs(f - y)))


# %% grade_id: shapes-answer
def shape_of(kind, **sizes):
    k = sizes["k"]
    match kind:
        case "events":
            return k, sizes["n"]
        case "sequence":
            return k, sizes["T"], sizes["n"]
        case "grid":
            return k, sizes["H"], sizes["W"], sizes["C"]
        case "film":
            return k, sizes["T"], sizes["H"], sizes["W"], sizes["C"]
        case "cloud":
            return k, sizes["N"], sizes["f"] + len("xyz")
    return {name: (k,) + tuple(shape) for name, shape in sizes["parts"].items()}
