"""Figure 8.5: a convolution as a dense layer whose weight matrix is a band of equal rows."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from course_lib import convolution
from course_lib.explorables.base import Explorable, Panel, choice, figure_of_panels, integer, written

#: Stage -> whether all rows share their weights, whether only the band holds weights.
STAGES = ("convolution", "locally connected", "dense")

#: Free numbers of the dense matrix that the challenge asks for.
TARGET_PARAMETERS = 120

#: Amplitudes of the pulse in the trace: fast rise, slower decay, as a photomultiplier gives it.
PULSE = (4, 2, 1)


class Parameters(NamedTuple):
    """Free numbers of the three layers with the same inputs and outputs."""

    convolution: int
    locally_connected: int
    dense: int


def free_parameters(length, kernel_size, padding):
    """Count the free weights of a trace layer when they are tied, untied, and everywhere (no biases).

    Parameters
    ----------
    length, kernel_size, padding : int
        Time steps of the trace, weights of the filter, zeros added on each side.

    Returns
    -------
    Parameters

    Examples
    --------
    >>> free_parameters(5, 3, 1)
    Parameters(convolution=3, locally_connected=15, dense=35)
    """
    n_outputs = convolution.output_size(length, kernel_size, padding=padding)
    return Parameters(kernel_size, n_outputs * kernel_size, n_outputs * (length + 2 * padding))


def filter_weights(name, kernel_size):
    """Return the shared weights of a filter.

    Parameters
    ----------
    name : {"difference", "average", "pulse shape"}
    kernel_size : int

    Returns
    -------
    numpy.ndarray, shape (kernel_size,)

    Examples
    --------
    >>> filter_weights("difference", 3).tolist(), filter_weights("pulse shape", 4).tolist()
    ([-1.0, 0.0, 1.0], [1.0, 0.75, 0.5, 0.25])
    """
    point = np.arange(kernel_size)
    if name == "average" or kernel_size == 1:
        return np.full(kernel_size, 1 / kernel_size)
    if name == "difference":
        return 2 * point / (kernel_size - 1) - 1
    return 1 - point / kernel_size


def weight_matrix(stage, name, length, kernel_size, padding):
    """Matrix from the padded trace to the output.

    Parameters
    ----------
    stage : {"convolution", "locally connected", "dense"}
        Untied weights differ from row to row, the dense matrix has weights outside the band too; both are
        fixed made-up numbers, as a training would leave them.
    name : str
        Filter, see `filter_weights`.
    length, kernel_size, padding : int
        As in `free_parameters`.

    Returns
    -------
    numpy.ndarray, shape (length + 2 padding - kernel_size + 1, length + 2 padding)

    Examples
    --------
    >>> weight_matrix("convolution", "difference", 3, 3, 1)
    array([[-1.,  0.,  1.,  0.,  0.],
           [ 0., -1.,  0.,  1.,  0.],
           [ 0.,  0., -1.,  0.,  1.]])
    """
    matrix = convolution.convolution_matrix(filter_weights(name, kernel_size), length, padding=padding)
    row, column = np.indices(matrix.shape)
    in_band = (column >= row) & (column < row + kernel_size)
    if stage != "convolution":
        matrix = matrix + in_band * 0.7 * np.sin(2.6 * row + 1.7 * column + 0.5)
    if stage == "dense":
        matrix = matrix + ~in_band * 0.5 * np.sin(1.9 * row + 2.9 * column + 1)
    return matrix


def padded_trace(length, padding, pulse):
    """Trace with one pulse, zeros added on both sides.

    Examples
    --------
    >>> padded_trace(5, 1, 3).tolist()  # the end of the pulse is not recorded
    [0.0, 0.0, 0.0, 0.0, 4.0, 2.0, 0.0]
    """
    trace = np.zeros(length + len(PULSE))
    trace[pulse : pulse + len(PULSE)] = PULSE
    return np.pad(trace[:length], padding)


def shift_error(matrix, trace):
    """Largest change of the output, apart from moving along, when the trace moves by one step.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (outputs, inputs)
    trace : numpy.ndarray, shape (inputs,)
        Its last entry, which would move out, is left away.

    Returns
    -------
    float
        Exactly zero for a convolution: it is equivariant.

    Examples
    --------
    >>> shift_error(weight_matrix("convolution", "difference", 5, 3, 1), padded_trace(5, 1, 1))
    0.0
    """
    before = matrix[:-1, :-1] @ trace[:-1]
    after = matrix[1:, 1:] @ trace[:-1]
    return float(np.abs(after - before).max(initial=0.0))


class BandedMatrix(Explorable):
    """The weight matrix behind a convolution: tied, untied, filled (figure 8.5).

    Parameters
    ----------
    length : int
        Time steps of the trace, 3 to 12.
    kernel_size : int
        Weights of the filter, 1 to 7.
    padding : int
        Zeros added on each side, 0 to 3.
    stage : {"convolution", "locally connected", "dense"}
        What the matrix is.
    filter : {"difference", "average", "pulse shape"}
        Shared weights.
    pulse : int
        Time step at which the pulse begins.
    row : int
        The output that is written out.

    Examples
    --------
    >>> matrix = BandedMatrix(length=10)
    >>> matrix.free_parameters().dense
    120
    """

    name = "banded_matrix"
    title = "The matrix behind a convolution"
    figure = "Figure 8.5"
    goal = (
        "Untie the weights, then fill the band: what does a convolution save, and what does it keep when the pulse "
        f"moves? Challenge: with filter 3 and padding 1, which trace makes the dense layer cost {TARGET_PARAMETERS} "
        "numbers?"
    )
    fields: ClassVar = {
        "length": integer(5, 3, 12, "time steps of the trace"),
        "kernel_size": integer(3, 1, 7, "weights of the filter"),
        "padding": integer(1, 0, 3, "zeros added on each side of the trace"),
        "stage": choice("convolution", STAGES, "how free the weights are"),
        "filter": choice("difference", ("difference", "average", "pulse shape"), "shared weights"),
        "pulse": integer(1, 0, 11, "time step at which the pulse begins"),
        "row": integer(1, 0, 17, "output that is written out"),
    }

    @classmethod
    def constants(cls):
        return {"stages": STAGES, "pulse": PULSE, "target": TARGET_PARAMETERS}

    def reconcile(self, state):
        """Keep the filter within the padded trace, and pulse and row on it."""
        padded_length = state["length"] + 2 * state["padding"]
        state["kernel_size"] = min(state["kernel_size"], padded_length)
        state["pulse"] = min(state["pulse"], state["length"] - 1)
        state["row"] = min(state["row"], padded_length - state["kernel_size"])
        return state

    def free_parameters(self):
        """Return the `Parameters` of the present sizes."""
        return free_parameters(self.state["length"], self.state["kernel_size"], self.state["padding"])

    def matrix(self):
        """Return the weight matrix, shape (outputs, padded inputs)."""
        state = self.state
        return weight_matrix(state["stage"], state["filter"], state["length"], state["kernel_size"], state["padding"])

    def trace(self):
        """Return the padded trace."""
        return padded_trace(self.state["length"], self.state["padding"], self.state["pulse"])

    def summary(self):
        counts = self.free_parameters()
        matrix, trace = self.matrix(), self.trace()
        row = self.state["row"]
        stage = self.state["stage"]
        error = shift_error(matrix, trace)
        moved = "moves the output unchanged" if error < 1e-9 else f"changes the output by up to {written(error)}"
        return (
            f"{stage.capitalize()}: {counts[STAGES.index(stage)]} free numbers in the "
            f"{matrix.shape[0]} x {matrix.shape[1]} matrix (convolution {counts[0]}, locally connected {counts[1]}, "
            f"dense {counts[2]}); output {row + 1} is {written(matrix[row] @ trace)}; "
            f"moving the pulse by one step {moved}."
        )

    def static_figure(self):
        matrix, trace, row = self.matrix(), self.trace(), self.state["row"]
        start = row if self.state["stage"] != "dense" else 0
        high = self.state["kernel_size"] if self.state["stage"] != "dense" else len(trace)
        figure = figure_of_panels(
            [
                Panel(matrix.round(2), f"weights ({self.state['stage']})", boxes=((row, 0, 1, len(trace)),)),
                Panel(trace[:, None], "padded trace", boxes=((start, 0, high, 1),)),
                Panel((matrix @ trace).round(2)[:, None], "output", boxes=((row, 0, 1, 1),)),
            ],
            title=f"{self.title}: {self.free_parameters()[STAGES.index(self.state['stage'])]} free numbers",
            summary=self.summary(),
        )
        figure.update_yaxes(title="output", row=1, col=1)
        figure.update_xaxes(title="padded time step", row=1, col=1)
        figure.update_yaxes(title="padded time step", row=1, col=2)
        figure.update_yaxes(title="output", row=1, col=3)
        for column in (2, 3):
            figure.update_xaxes(title="", showticklabels=False, row=1, col=column)
        return figure
