"""Checks that all simulators share: the rule, the value seen, the way out, in one sentence."""

from __future__ import annotations

import numbers

import numpy as np


def require_count(name, value, *, minimum=1):
    """Return `value` as int, or raise ValueError if it is not a whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(f"{name} must be a whole number of at least {minimum}, got {value!r}")
    return int(value)


def require_positive(name, value, *, zero_allowed=False):
    """Return `value` as float, or raise ValueError if it is not finite and positive (or zero, if allowed)."""
    good = isinstance(value, numbers.Real) and np.isfinite(value) and (value > 0 or (zero_allowed and value == 0))
    if not good:
        rule = "zero or a positive number" if zero_allowed else "a positive number"
        raise ValueError(f"{name} must be {rule}, got {value!r}")
    return float(value)


def require_range(name, value):
    """Return `value` as (low, high), or raise ValueError if it is not an increasing pair of finite numbers."""
    try:
        low, high = (float(bound) for bound in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a pair (low, high), got {value!r}") from None
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise ValueError(f"{name} must be finite with low <= high, got {value!r}")
    return low, high
