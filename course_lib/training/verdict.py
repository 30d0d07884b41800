"""What the curves of a training say, in words: pure functions over a record."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Fewer epochs than this after the best one say nothing.
PATIENCE = 3


@dataclass(frozen=True)
class Finding:
    """One thing that the curves say.

    Parameters
    ----------
    kind : {"not a number", "diverging", "overfitting", "not learning", "still improving"}
        What it is.
    epoch : int
        Number of the epoch since which it holds.
    words : str
        One sentence for a student: what is seen, and what to try.
    """

    kind: str
    epoch: int
    words: str


def noise(values):
    """Estimate the scatter of a curve around its trend.

    Second differences are blind to a straight trend; for independent scatter of standard deviation sigma their
    variance is six times sigma squared.

    Parameters
    ----------
    values : list of float
        The curve, without gaps.

    Returns
    -------
    float
        Standard deviation in the curve's unit; zero for fewer than four values.

    Examples
    --------
    >>> noise([1.0, 2.0, 3.0, 4.0, 5.0])
    0.0
    """
    if len(values) < 4:
        return 0.0
    seconds = [values[i] - 2 * values[i + 1] + values[i + 2] for i in range(len(values) - 2)]
    # The first epochs bend strongly without being noisy: the median ignores them. Of |normal| it is 0.6745 sigma.
    return sorted(abs(second) for second in seconds)[(len(seconds) - 1) // 2] / 0.6745 / math.sqrt(6)


def overfitting_since(training, validation):
    """Find the epoch after which the validation loss rises while the training loss falls.

    Parameters
    ----------
    training, validation : list of float, same length
        Loss of each epoch.

    Returns
    -------
    int or None
        Index of the epoch with the smallest validation loss, if the mean of the last three is clearly above it.

    Examples
    --------
    >>> overfitting_since([1.0, 0.5, 0.3, 0.2, 0.15, 0.1], [1.1, 0.7, 0.8, 0.9, 1.0, 1.1])
    1
    """
    if len(validation) != len(training) or not all(map(math.isfinite, [*training, *validation])):
        return None
    best = min(range(len(validation)), key=validation.__getitem__, default=0)
    if len(validation) - 1 - best < PATIENCE:
        return None
    recent = sum(validation[-PATIENCE:]) / PATIENCE
    # The smallest of many noisy values lies about two sigma below their mean, even on a plateau.
    # The steep first quarter would pass for noise.
    clear = max(5 * noise(validation[len(validation) // 4 :]), 0.02 * abs(validation[best]))
    rises = recent - validation[best] > clear
    falls = sum(training[-PATIENCE:]) / PATIENCE < training[best]
    return best if rises and falls else None


def diverging_since(losses):
    """Find the epoch after which the training loss runs away.

    Parameters
    ----------
    losses : list of float
        Training loss of each epoch.

    Returns
    -------
    int or None
        Index of the smallest loss, if the last two values have lost half of what was gained, or half as much
        again as the first loss.

    Examples
    --------
    >>> diverging_since([1.0, 0.8, 1.5, 4.0, 90.0])
    1
    >>> diverging_since([1.0, 0.5, 0.52, 0.49]) is None
    True
    """
    if len(losses) < 3 or not all(map(math.isfinite, losses)):
        return None
    best = min(range(len(losses)), key=losses.__getitem__)
    allowed = losses[best] + 0.5 * max(losses[0] - losses[best], abs(losses[0]))
    return best if len(losses) - 1 - best >= 2 and min(losses[-2:]) > allowed else None


def not_learning(losses, first_loss=None):
    """Tell whether the training loss has not moved.

    Parameters
    ----------
    losses : list of float
        Training loss of each epoch.
    first_loss : float, optional
        Loss before the first epoch, for example of the first batches: the mean over an epoch already contains
        what was learned in it.

    Returns
    -------
    bool
        Whether, after five epochs or more, the loss is within one percent of its start or within its noise.

    Examples
    --------
    >>> not_learning([0.693] * 6), not_learning([0.2] * 6, first_loss=0.7)
    (True, False)
    """
    if len(losses) < 5 or not all(map(math.isfinite, losses)):
        return False
    start = losses[0] if first_loss is None or not math.isfinite(first_loss) else first_loss
    gained = start - sum(losses[-PATIENCE:]) / PATIENCE
    return abs(gained) < max(0.01 * abs(start), 2 * noise(losses))


def still_improving(losses):
    """Tell whether the loss was still falling clearly when the training ended.

    Parameters
    ----------
    losses : list of float
        Loss of each epoch; validation where there is one.

    Returns
    -------
    bool
        Whether the last epoch is the best and better than the one three before by two percent and its noise.

    Examples
    --------
    >>> still_improving([1.0, 0.8, 0.6, 0.4]), still_improving([1.0, 0.5, 0.5, 0.5, 0.5])
    (True, False)
    """
    if len(losses) <= PATIENCE or not all(map(math.isfinite, losses)) or min(losses) < losses[-1]:
        return False
    gained = losses[-1 - PATIENCE] - losses[-1]
    return gained > max(0.02 * abs(losses[-1 - PATIENCE]), 3 * noise(losses))


def verdict(record):
    """Say in words what the curves of a training mean.

    Parameters
    ----------
    record : TrainingRecord
        The training.

    Returns
    -------
    Finding or None
        The most urgent finding; None where there is nothing to say.

    Examples
    --------
    >>> from course_lib.training import TrainingRecord
    >>> record = TrainingRecord()
    >>> for epoch, loss in enumerate([0.7, 0.9, 3.0, 50.0]):
    ...     record.add_epoch(epoch, {"loss": loss})
    >>> verdict(record).words
    'The training loss runs away since epoch 1: try a smaller learning rate.'
    """
    training = record.history.get("loss", [])
    validation = record.history.get("val_loss", [])
    number = record.epoch_numbers
    if record.first_bad_batch is not None:
        epoch, batch = record.first_bad_batch
        words = (
            f"The loss is not a finite number since epoch {epoch}, batch {batch}: look at the data, "
            "try a smaller learning rate or clip the gradients."
        )
        return Finding("not a number", epoch, words)
    since = diverging_since(training)
    if since is not None:
        words = f"The training loss runs away since epoch {number[since]}: try a smaller learning rate."
        return Finding("diverging", number[since], words)
    since = overfitting_since(training, validation)
    if since is not None:
        words = (
            f"Overfitting since epoch {number[since]}: the validation loss rises while the training loss falls. "
            "Stop there, regularise, or take more data."
        )
        return Finding("overfitting", number[since], words)
    first_batches = record.batch_losses[:5]
    if not_learning(training, sum(first_batches) / len(first_batches) if first_batches else None):
        words = (
            f"Not learning: after {len(training)} epochs the training loss is where it began. "
            "Check labels and scales of the data; try another learning rate."
        )
        return Finding("not learning", number[0], words)
    if record.outcome == "finished" and still_improving(validation or training):
        words = f"Still improving at epoch {number[-1]}: more epochs would pay."
        return Finding("still improving", number[-1], words)
    return None
