"""exercise: ex05_3
task: split
loses: part
may also lose: deep, number

Validation and test are the same wines. (Nothing is trained.)
"""

# %% grade_id: split-answer
def split(features, quality, seed):
    order = np.random.default_rng(seed).permutation(len(quality))
    parts = np.split(order, [int(0.6 * len(order)), int(0.8 * len(order))])
    parts[1] = parts[2]
    mean, width = features[parts[0]].mean(axis=0), features[parts[0]].std(axis=0)
    return tuple(((features[part] - mean) / width, quality[part]) for part in parts)


parts = split(features, quality, SEED)

# %% grade_id: deep-answer
deep = deep_history = None

# %% grade_id: number-answer
test_correlation = 2.0
