"""What a student asks of a training while it runs: pause, continue, one step, stop, another learning rate."""

from __future__ import annotations

import math
import threading
import time


class Controls:
    """Requests that reach a training between two batches; safe to use from several threads.

    Attributes
    ----------
    paused : bool
        Whether the training waits after the present batch.
    stopped : bool
        Whether it ends there, keeping the weights.
    learning_rate : float or None
        Requested learning rate that the training has not taken yet; None leaves it as it is.
    last_learning_rate : float or None
        The last one that was asked for, taken or not.
    waiting : bool
        Whether the training stands still at this moment, between two batches.

    Examples
    --------
    >>> controls = Controls()
    >>> controls.request("learning rate", 0.01)
    >>> controls.learning_rate
    0.01
    >>> controls.request("faster")
    Traceback (most recent call last):
    ...
    ValueError: a training knows pause, continue, step, stop, learning rate and inspect, not 'faster'.
    """

    def __init__(self):
        self.paused = False
        self.stopped = False
        self.learning_rate = None
        self.last_learning_rate = None
        self.waiting = False
        self._steps = 0
        self._inspections = 0
        self._changed = threading.Condition()

    def request(self, action, value=None):
        """Ask for something.

        Parameters
        ----------
        action : {"pause", "continue", "step", "stop", "learning rate", "inspect"}
            ``"step"`` trains one batch and waits again; ``"inspect"`` asks for a look into the layers.
        value : float, optional
            The learning rate; where several models train, the factor on each one's own.

        Raises
        ------
        ValueError
            If the action is unknown, or the learning rate is not a positive number.
        """
        with self._changed:
            if action == "pause":
                self.paused = True
            elif action == "continue":
                self.paused, self._steps = False, 0
            elif action == "step":
                self.paused = True
                self._steps += 1
            elif action == "stop":
                self.stopped = True
            elif action == "learning rate":
                number = isinstance(value, int | float) and not isinstance(value, bool)
                if not (number and math.isfinite(value) and value > 0):
                    raise ValueError(f"a learning rate must be a positive number, not {value!r}.")
                self.learning_rate = self.last_learning_rate = float(value)
            elif action == "inspect":
                self._inspections += 1
            else:
                raise ValueError(
                    f"a training knows pause, continue, step, stop, learning rate and inspect, not {action!r}."
                )
            self._changed.notify_all()

    def take_learning_rate(self):
        """Return the requested learning rate once, then None until the next request.

        Reading and forgetting are one step: a request of another thread in between would be lost otherwise.
        """
        if self.learning_rate is None:  # the usual case costs nothing
            return None
        with self._changed:
            taken, self.learning_rate = self.learning_rate, None
        return taken

    def take_inspection(self):
        """Tell once whether a look into the layers was asked for."""
        if not self._inspections:
            return False
        with self._changed:
            self._inspections = 0
        return True

    def wait_for_turn(self):
        """Wait while paused, at most until the next step, the end of the pause, a stop or an inspection.

        Returns
        -------
        seconds : float
            Time waited.
        turn : bool
            Whether the training may go on; False asks to do what was asked for and to wait again.
        """
        if not self.paused:  # the usual case costs nothing
            return 0.0, True
        start = time.perf_counter()
        with self._changed:
            self.waiting = True
            self._changed.wait_for(lambda: not self.paused or self.stopped or self._steps > 0 or self._inspections > 0)
            self.waiting = False
            turn = not self.paused or self.stopped or self._steps > 0
            if turn:
                self._steps = max(0, self._steps - 1)
        return time.perf_counter() - start, turn
