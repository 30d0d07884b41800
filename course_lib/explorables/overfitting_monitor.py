"""Figures 5.3 and 5.4: training and validation curves of a network that trains in the browser, and early stopping."""

from __future__ import annotations

import functools
from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import style
from course_lib.explorables.base import Explorable, choice, flag, integer, number, written
from course_lib.explorables.playground.data import normal, uniform

N_TRAINING, N_VALIDATION = 80, 320
N_EPOCHS = 200
BATCH_SIZE = 10
LEARNING_RATE = 0.2

#: Small first weights: the training begins on a plateau, where an impatient observer gives up.
INITIAL_SCALE = 0.2


class Curves(NamedTuple):
    """What was measured before the first and after every epoch, arrays of shape (N_EPOCHS + 1,).

    Attributes
    ----------
    training_loss, validation_loss : numpy.ndarray
        Mean cross-entropy a point (nat).
    training_accuracy, validation_accuracy : numpy.ndarray
        Share of right answers.
    """

    training_loss: np.ndarray
    validation_loss: np.ndarray
    training_accuracy: np.ndarray
    validation_accuracy: np.ndarray


@functools.lru_cache(maxsize=64)
def train(label_noise, n_hidden, seed):
    """Train a small network on a checkerboard with wrong labels: 2 inputs, one layer of tanh, one sigmoid.

    Parameters
    ----------
    label_noise : float
        Share of the labels, of training and validation alike, that are turned over.
    n_hidden : int
    seed : int
        Of the points and of the first weights.

    Returns
    -------
    Curves
        Plain gradient descent with batches of `BATCH_SIZE` in a fixed order.

    Examples
    --------
    >>> curves = train(0.1, 16, 1)
    >>> bool(curves.training_loss[-1] < curves.training_loss[0])
    True
    """
    count = N_TRAINING + N_VALIDATION
    points = 4 * np.column_stack([uniform(seed, 0, count), uniform(seed, 1, count)]) - 2
    target = ((points[:, 0] * points[:, 1] > 0) != (uniform(seed, 2, count) < label_noise)).astype(float)
    inputs = np.column_stack([points, np.ones(count)])
    first = INITIAL_SCALE * normal(seed, 16, 3 * n_hidden).reshape(3, n_hidden)
    last = normal(seed, 18, n_hidden + 1) / np.sqrt(n_hidden)
    record = []
    for _ in range(N_EPOCHS + 1):
        logit = np.tanh(inputs @ first) @ last[:-1] + last[-1]
        loss = np.maximum(logit, 0) - logit * target + np.log1p(np.exp(-np.abs(logit)))
        right = (logit > 0) == (target > 0)
        parts = [slice(N_TRAINING), slice(N_TRAINING, count)]
        record.append([values[part].mean() for values in (loss, right) for part in parts])
        for start in range(0, N_TRAINING, BATCH_SIZE):
            batch = slice(start, start + BATCH_SIZE)
            hidden = np.tanh(inputs[batch] @ first)
            logit = hidden @ last[:-1] + last[-1]
            error = (1 / (1 + np.exp(-logit)) - target[batch]) / BATCH_SIZE
            slope_last = np.append(error @ hidden, error.sum())
            slope_first = inputs[batch].T @ (error[:, None] * last[:-1] * (1 - hidden**2))
            first -= LEARNING_RATE * slope_first
            last -= LEARNING_RATE * slope_last
    return Curves(*np.array(record).T)


def stopping_epoch(validation_loss, patience):
    """Epoch at which early stopping ends the training, and the epoch whose weights it keeps.

    Parameters
    ----------
    validation_loss : array_like, shape (n_epochs + 1,)
    patience : int
        So many epochs without a new best value are allowed.

    Returns
    -------
    stopped, best : int
        The last epoch if the patience never runs out.

    Examples
    --------
    >>> stopping_epoch([3, 2, 2.5, 2.2, 1, 5], 2)
    (3, 1)
    >>> stopping_epoch([3, 2, 2.5, 2.2, 1, 5], 3)
    (5, 4)
    """
    best = 0
    for epoch, loss in enumerate(validation_loss):
        if loss < validation_loss[best]:
            best = epoch
        elif epoch - best >= patience:
            return epoch, best
    return len(validation_loss) - 1, best


class OverfittingMonitor(Explorable):
    """Loss and accuracy of training and validation, epoch by epoch, with early stopping.

    Parameters
    ----------
    view : str
        ``"loss"`` or ``"accuracy"``.
    label_noise : float
        Share of wrong labels, 0 to 0.3.
    n_hidden : int
        Nodes of the hidden layer: 4 or 16.
    seed : int
        Of points and first weights, 0 to 9.
    patience : int
        Epochs without improvement after which early stopping ends the training.
    restore : bool
        Whether the weights of the best epoch are restored.
    epoch : int
        How much of the curves is shown, 0 to 200.

    Examples
    --------
    >>> monitor = OverfittingMonitor(patience=1)
    >>> monitor.stop()[0] < 200
    True
    """

    name = "overfitting_monitor"
    title = "When to stop training"
    figure = "Figures 5.3 and 5.4"
    goal = "Choose the patience so that the training ends near the best validation loss, whatever the seed."
    shared_scripts = ("kit", "plot", "random_numbers")
    fields: ClassVar = {
        "view": choice("loss", ["loss", "accuracy"], "the quantity shown"),
        "label_noise": number(0.1, 0, 0.3, "share of wrong labels"),
        "n_hidden": choice(16, [4, 16], "nodes of the hidden layer"),
        "seed": integer(7, 0, 9, "of points and first weights"),
        "patience": integer(30, 1, 60, "epochs without improvement that are allowed"),
        "restore": flag(False, "restore the weights of the best epoch"),
        "epoch": integer(N_EPOCHS, 0, N_EPOCHS, "how much of the curves is shown"),
    }

    def curves(self):
        """Return the `Curves` of the present network."""
        state = self._state
        return train(state["label_noise"], state["n_hidden"], state["seed"])

    def stop(self):
        """Return the epoch at which early stopping ends the training, and the best epoch until then."""
        return stopping_epoch(self.curves().validation_loss, self._state["patience"])

    def summary(self):
        state, curves = self._state, self.curves()
        stopped, best = self.stop()
        kept = best if state["restore"] else stopped
        gap = curves.validation_loss[state["epoch"]] - curves.training_loss[state["epoch"]]
        return (
            f"After epoch {state['epoch']} the validation loss lies {written(gap)} above the training loss; with a "
            f"patience of {state['patience']} the training ends at epoch {stopped} and keeps the weights of epoch "
            f"{kept}, validation loss {written(curves.validation_loss[kept])}."
        )

    def static_figure(self):
        from plotly.subplots import make_subplots

        curves = self.curves()
        stopped, best = self.stop()
        figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.13)
        for column, quantity in enumerate(("loss", "accuracy"), start=1):
            for part in ("training", "validation"):
                figure.add_scatter(
                    y=getattr(curves, f"{part}_{quantity}").astype("float32"),
                    name=part,
                    line={"color": style.PALETTE[part], "dash": style.DASHES[part]},
                    showlegend=column == 1,
                    row=1,
                    col=column,
                )
            figure.add_vline(x=best, line_dash="dashdot", line_color=style.PALETTE["reference"], row=1, col=column)
            figure.add_vline(x=stopped, line_dash="dot", line_color=style.PALETTE["negative"], row=1, col=column)
        figure.update_xaxes(title="epoch")
        figure.update_yaxes(title="mean cross-entropy (nat)", row=1, col=1)
        figure.update_yaxes(title="accuracy", row=1, col=2)
        return figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            legend={"y": -0.2, "yanchor": "top"},
            margin={"t": 90, "b": 90},
            height=430,
        )
