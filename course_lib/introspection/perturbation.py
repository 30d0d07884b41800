"""Attribution by changing the inputs and looking at the score: works for any model."""

from __future__ import annotations

import itertools
import math

import numpy as np

from course_lib.introspection.compilation import check_inputs, check_target, scores
from course_lib.introspection.gradients import broadcast_baseline

#: 2^14 evaluations an input; beyond that sampling is the way.
MAX_EXACT_FEATURES = 14


def occlusion(model, inputs, target, *, patch_size=5, stride=1, baseline=0.0, batch_size: int = 512) -> np.ndarray:
    """Return how much the score falls when the patch around each input element is replaced by a baseline.

    Patches slide over all axes but the last (the channels); for tables ``(n, n_features)`` over the features. An
    element's value is the mean over the patches that cover it of ``score(inputs) - score(occluded)``.

    Parameters
    ----------
    model : keras.Model
    inputs : array_like
        Shape ``(n, height, width, n_channels)``, ``(n, length, n_channels)`` or ``(n, n_features)``.
    target : int or array_like of int
        Output index, or one for each input.
    patch_size, stride : int or tuple of int
        Along each sliding axis. The last patch ends at the border, whatever the stride.
    baseline : float or array_like
        What stands in for the patch, broadcast to the inputs. A spin of 0 does not exist; an energy of 0 does.
    batch_size : int
        How many occluded inputs are computed at once.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape (the same value in every channel), in units of the score.

    Raises
    ------
    ValueError
        If a patch is larger than the input, a stride larger than the patch, or either below 1.

    References
    ----------
    M. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", ECCV (2014).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[1.0], [2.0], [-4.0]]), np.ones(1)])
    >>> occlusion(model, [[1.0, 1.0, 1.0]], 0, patch_size=1)
    array([[ 1.,  2., -4.]], dtype=float32)
    """
    values = check_inputs(model, inputs)
    sliding = values.shape[1:-1] if values.ndim > 2 else values.shape[1:]
    sizes, strides = (_per_axis(name, size, sliding) for name, size in (("patch_size", patch_size), ("stride", stride)))
    if any(step > size for step, size in zip(strides, sizes, strict=True)):
        raise ValueError(
            f"stride {stride} is larger than patch_size {patch_size}: some elements would never be covered."
        )
    positions = list(itertools.product(*(_starts(n, k, s) for n, k, s in zip(sliding, sizes, strides, strict=True))))
    start = broadcast_baseline(baseline, values)
    whole = scores(model, values, batch_size=batch_size)
    targets = check_target(target, len(values), whole.shape[1])
    rows = np.arange(len(values))
    whole = whole[rows, targets]
    total = np.zeros((len(values), *sliding))
    covered = np.zeros(sliding)
    # As many positions at once as fill a batch: single small calls would cost mostly Python.
    together = max(1, batch_size // max(len(values), 1))
    for first in range(0, len(positions), together):
        patches = [
            tuple(slice(at, at + size) for at, size in zip(position, sizes, strict=True))
            for position in positions[first : first + together]
        ]
        occluded = np.repeat(values[None], len(patches), axis=0)
        for copy, patch in zip(occluded, patches, strict=True):
            copy[(slice(None), *patch)] = start[(slice(None), *patch)]
        changed = scores(model, occluded.reshape(-1, *values.shape[1:]), batch_size=batch_size)
        changed = changed.reshape(len(patches), len(values), -1)[:, rows, targets]
        for patch, score in zip(patches, changed, strict=True):
            total[(slice(None), *patch)] += (whole - score).reshape(-1, *[1] * len(sliding))
            covered[patch] += 1
    result = (total / covered).astype(np.float32)
    return np.broadcast_to(result[..., None], values.shape).copy() if values.ndim > 2 else result


def _per_axis(name, size, sliding):
    sizes = (size,) * len(sliding) if np.ndim(size) == 0 else tuple(size)
    if len(sizes) != len(sliding) or min(sizes) < 1:
        raise ValueError(f"{name} must be a positive number, or one for each of {len(sliding)} axes, not {size}.")
    if name == "patch_size" and any(k > n for k, n in zip(sizes, sliding, strict=True)):
        raise ValueError(f"patch_size {size} is larger than the input {sliding}: choose a smaller patch.")
    return tuple(int(k) for k in sizes)


def _starts(length, size, stride):
    starts = list(range(0, length - size + 1, stride))
    # Without a last patch at the border its elements would look irrelevant.
    return starts if starts[-1] == length - size else [*starts, length - size]


def shapley_sampling(
    model, inputs, target, *, baseline=0.0, groups=None, n_permutations: int = 64, seed: int = 0, batch_size: int = 512
) -> np.ndarray:
    """Return Shapley values of the inputs, estimated by random orders of joining.

    A feature's value is its mean change of the score when it joins the features that came before it, over random
    orders; absent features take the baseline. The values of one input add up to ``score(inputs) - score(baseline)``
    exactly, for any number of permutations. Each order is used forward and backward, which lowers the variance.

    Parameters
    ----------
    model, inputs, target, batch_size
        As in `occlusion`.
    baseline : float or array_like
        The value of absent features, broadcast to the inputs.
    groups : array_like of int, optional
        Shape ``inputs.shape[1:]``: elements with the same number join together and share their value equally. Each
        element alone when not given.
    n_permutations : int
        Random orders for each input (rounded up to an even number).
    seed : int
        Seed of the orders.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape, in units of the score.

    References
    ----------
    E. Strumbelj, I. Kononenko, JMLR 11 (2010) 1; S. Lundberg, S.-I. Lee, NeurIPS (2017).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[1.0], [2.0], [-4.0]]), np.ones(1)])
    >>> shapley_sampling(model, [[1.0, 1.0, 1.0]], 0, n_permutations=2)
    array([[ 1.,  2., -4.]], dtype=float32)
    """
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be at least 1, not {n_permutations}.")
    values, start, labels, n_groups, targets = _coalition_setup(model, inputs, target, baseline, groups)
    generator = np.random.default_rng(seed)
    result = np.zeros((len(values), n_groups))
    n_pairs = (n_permutations + 1) // 2
    # As many orders at once as fill a batch: single small calls would cost mostly Python.
    together = max(1, batch_size // (n_groups + 1))
    for index, (value, reference, output) in enumerate(zip(values, start, targets, strict=True)):
        forward = [generator.permutation(n_groups) for _ in range(n_pairs)]
        orders = np.array([joined for order in forward for joined in (order, order[::-1])])
        for first in range(0, len(orders), together):
            chosen = orders[first : first + together]
            # Row k of each order: its first k groups are there.
            present = np.zeros((len(chosen), n_groups + 1, n_groups), dtype=bool)
            for rows, joined in zip(present, chosen, strict=True):
                rows[:, joined] = np.tri(n_groups + 1, n_groups, -1, dtype=bool)
            flat = present.reshape(-1, n_groups)
            score = _coalition_scores(model, value, reference, labels, flat, output, batch_size)
            for gains, joined in zip(np.diff(score.reshape(len(chosen), -1), axis=1), chosen, strict=True):
                result[index, joined] += gains
    return _spread(result / (2 * n_pairs), labels, values)


def shapley_exact(model, inputs, target, *, baseline=0.0, groups=None, batch_size: int = 512) -> np.ndarray:
    """Return the exact Shapley values by evaluating all coalitions: the reference for few features.

    Parameters
    ----------
    model, inputs, target, baseline, groups, batch_size
        As in `shapley_sampling`.

    Returns
    -------
    numpy.ndarray
        float32, the inputs' shape.

    Raises
    ------
    ValueError
        If there are more than 14 features (2^14 evaluations an input).

    References
    ----------
    L. Shapley, "A value for n-person games" (1953).

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[1.0], [2.0]]), np.ones(1)])
    >>> shapley_exact(model, [[3.0, 1.0]], 0)
    array([[3., 2.]], dtype=float32)
    """
    values, start, labels, n_groups, targets = _coalition_setup(model, inputs, target, baseline, groups)
    if n_groups > MAX_EXACT_FEATURES:
        raise ValueError(
            f"{n_groups} features have 2^{n_groups} coalitions: use shapley_sampling, "
            f"or groups with at most {MAX_EXACT_FEATURES} different numbers."
        )
    present = np.array(list(itertools.product([False, True], repeat=n_groups)))
    sizes = present.sum(axis=1)
    code = present @ (1 << np.arange(n_groups))
    row_of_code = np.argsort(code)
    result = np.zeros((len(values), n_groups))
    for index, (value, reference, output) in enumerate(zip(values, start, targets, strict=True)):
        score = _coalition_scores(model, value, reference, labels, present, output, batch_size)
        for feature in range(n_groups):
            without = ~present[:, feature]
            joined = row_of_code[code[without] + (1 << feature)]
            weights = [
                math.factorial(size) * math.factorial(n_groups - size - 1) / math.factorial(n_groups)
                for size in sizes[without]
            ]
            result[index, feature] = np.dot(weights, score[joined] - score[without])
    return _spread(result, labels, values)


def _coalition_setup(model, inputs, target, baseline, groups):
    values = check_inputs(model, inputs)
    start = broadcast_baseline(baseline, values)
    if groups is None:
        groups = np.arange(math.prod(values.shape[1:])).reshape(values.shape[1:])
    groups = np.asarray(groups)
    if groups.shape != values.shape[1:]:
        raise ValueError(f"groups must have the shape of one input, {values.shape[1:]}, not {groups.shape}.")
    numbers, labels = np.unique(groups, return_inverse=True)
    targets = check_target(target, len(values), scores(model, values[:1]).shape[1])
    return values, start, labels.reshape(groups.shape), len(numbers), targets


def _coalition_scores(model, value, reference, labels, present, output, batch_size):
    mixed = np.where(present[:, labels], value[None], reference[None])
    return scores(model, mixed, batch_size=batch_size)[:, output].astype(np.float64)


def _spread(result, labels, values):
    members = np.bincount(labels.ravel())
    return (result / members)[:, labels].astype(np.float32).reshape(values.shape)
