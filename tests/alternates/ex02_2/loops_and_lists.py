"""exercise: ex02_2

Plain Python: loops, lists, a simulation of the steps.
"""


# %% grade_id: objective-answer
def objective(f, y):
    answers, labels = [float(np.squeeze(v)) for v in f], [float(np.squeeze(v)) for v in y]
    if len(answers) != len(labels):
        raise ValueError("f and y must have the same length")
    total = 0.0
    for answer, label in zip(answers, labels):
        total += (answer - label) ** 2
    return total / len(answers)


# %% grade_id: epochs-answer
def epochs_run(n_steps, k, d):
    epochs, left = 0, d
    for _ in range(n_steps):
        left -= k
        if left <= 0:
            epochs, left = epochs + 1, d
    return epochs, left == d


# %% grade_id: flatten-answer
def flatten(batch):
    parts = batch.values() if isinstance(batch, dict) else [batch]
    rows = []
    for number in range(len(next(iter(parts)))):
        row = []
        for part in parts:
            row.extend(np.ravel(part[number]).tolist())
        rows.append(row)
    return rows
