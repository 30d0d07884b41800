"""Chapter 6: the steps of a supervised project, sorted into what happens once and what happens in the loops."""

from __future__ import annotations

from typing import ClassVar

from course_lib import style
from course_lib.explorables.base import Explorable, Field, flag

#: Step -> (name on the card, what it does).
STEPS = {
    "collect": ("collect", "gather events and their labels"),
    "split": ("split", "training, validation and test part"),
    "normalise": ("normalise", "scale with constants of the training part"),
    "initialise": ("initialise", "draw the first weights"),
    "forward": ("forward", "compute predictions"),
    "loss": ("loss", "compare with the labels"),
    "backward": ("backward", "compute the gradient"),
    "update": ("update", "change the weights"),
    "validate": ("validate", "watch the validation loss"),
    "test": ("test", "state the performance"),
}

#: Where cards can lie; the first is the tray.
LANES = ("not yet placed", "once, before", "for every batch", "after every epoch", "once, at the end")

_STEP_NAMES = list(STEPS)

#: Step -> the lane where it belongs.
RIGHT_LANE = dict(zip(STEPS, (1, 1, 1, 1, 2, 2, 2, 2, 3, 4), strict=True))

#: The order on the tray: not that of the answer.
TRAY = (8, 7, 1, 5, 9, 4, 0, 3, 6, 2)

#: Step -> lane -> what goes wrong there, and whether it is a leak; lane None: everywhere else.
WRONG_LANE = {
    "collect": {None: ("the data are collected once, before anything is trained", False)},
    "split": {None: ("who splits late has already trained on test events", True)},
    "normalise": {
        2: (
            "each batch would be scaled differently, so the network would see the same event in different units",
            False,
        ),
        3: ("the scale would change under the feet of the network", False),
        4: ("the network would be trained on numbers of any size", False),
    },
    "initialise": {None: ("whoever draws the weights again forgets what was learned", False)},
    "forward": {None: ("without a prediction for each batch there is no loss for it", False)},
    "loss": {None: ("every batch needs its own loss, because every batch makes a step", False)},
    "backward": {None: ("every batch needs its own gradient: that is what is stochastic about the descent", False)},
    "update": {None: ("the weights move once a batch, else nothing is learned within an epoch", False)},
    "validate": {
        2: ("allowed, but then the validation takes longer than the training", False),
        4: ("too late to decide when to stop", False),
        1: ("a network without training has nothing to show yet", False),
    },
    "test": {
        1: ("a network without training has nothing to show yet", False),
        None: (
            "whoever looks at the test events during the training chooses by them, and the final number is too good",
            True,
        ),
    },
}

#: (first, second, what goes wrong if they are exchanged, whether it is a leak), within one lane.
ORDER = (
    ("collect", "split", "what is not collected yet cannot be split", False),
    ("collect", "normalise", "what is not collected yet cannot be scaled", False),
    ("split", "normalise", "the scale is computed with test events, so they are no longer unseen", True),
    ("forward", "loss", "the loss compares predictions, so they come first", False),
    ("loss", "backward", "the gradient is that of the loss", False),
    ("backward", "update", "the step goes against the gradient, so the gradient comes first", False),
)

#: The answer as a state.
SOLUTION = [[], *([_STEP_NAMES.index(step) for step in STEPS if RIGHT_LANE[step] == lane] for lane in range(1, 5))]


def _check_lanes(value):
    good = (
        isinstance(value, list | tuple) and len(value) == len(LANES) and all(isinstance(v, list | tuple) for v in value)
    )
    flat = [step for lane in value for step in lane] if good else []
    if not (good and all(type(step) is int for step in flat) and sorted(flat) == list(range(len(STEPS)))):
        raise ValueError(f"must be {len(LANES)} lists that together hold each of the steps 0 to {len(STEPS) - 1} once")
    return [list(lane) for lane in value]


def faults(lanes):
    """Return what is wrong with the order of a project.

    Parameters
    ----------
    lanes : list of five lists of int
        Numbers of the steps in each lane, top to bottom; what lies on the tray (the first) is not judged.

    Returns
    -------
    list of (int, str, bool)
        Step, what goes wrong, and whether information about test events reaches the training.

    Examples
    --------
    >>> faults([[1, 3, 4, 5, 6, 7, 8, 9], [2, 0], [], [], []])
    [(2, 'what is not collected yet cannot be scaled', False)]
    >>> faults(SOLUTION)
    []
    """
    lane_of = {step: number for number, lane in enumerate(lanes) for step in lane}
    place = {step: at for lane in lanes for at, step in enumerate(lane)}
    found = []
    for number, step in enumerate(STEPS):
        if lane_of[number] not in (0, RIGHT_LANE[step]):
            reasons = WRONG_LANE[step]
            found.append((number, *reasons.get(lane_of[number], reasons.get(None))))
    for first, second, text, leak in ORDER:
        one, two = _STEP_NAMES.index(first), _STEP_NAMES.index(second)
        if lane_of[one] == lane_of[two] == RIGHT_LANE[first] and place[one] > place[two]:
            found.append((two, text, leak))
    return found


class ProjectConveyor(Explorable):
    """Ten steps of a supervised project, to be sorted into before, batch, epoch and end.

    Parameters
    ----------
    lanes : list of five lists of int
        Steps 0 to 9 (collect, split, normalise, initialise, forward, loss, backward, update, validate, test) on the
        tray and in the four lanes, each step once.
    checked : bool
        Whether mistakes are marked.

    Examples
    --------
    >>> conveyor = ProjectConveyor(checked=True)
    >>> conveyor.summary()
    'Nothing is placed yet: ten steps lie on the tray.'
    >>> conveyor.solve().summary()
    'All ten steps are placed, and nothing leaks: four once before, four for every batch, one an epoch, one at the end.'
    """

    name = "project_conveyor"
    title = "A project in ten steps"
    figure = "Chapter 6, conveyor"
    goal = "Sort the steps: what happens once, what for every batch, what for every epoch? Then find the leaks."
    fields: ClassVar = {
        "lanes": Field(
            [list(TRAY), [], [], [], []],
            "steps on the tray and in the four lanes",
            _check_lanes,
            samples=(
                [list(TRAY), [], [], [], []],
                SOLUTION,
                [[], [0, 2, 1, 3], [4, 5, 6, 7], [8, 9], []],
                [[0, 1], [3], [7, 6, 5, 4], [2], [9, 8]],
                [[3, 8, 9], [2, 1, 0], [4], [5, 6], [7]],
            ),
        ),
        "checked": flag(False, "whether mistakes are marked"),
    }

    @classmethod
    def constants(cls):
        names = _STEP_NAMES
        return {
            "steps": list(STEPS.values()),
            "lanes": LANES,
            "rightLane": list(RIGHT_LANE.values()),
            # JSON has no key None: -1 stands for everywhere else.
            "wrongLane": [
                {-1 if lane is None else lane: why for lane, why in WRONG_LANE[step].items()} for step in STEPS
            ],
            "order": [[names.index(first), names.index(second), text, leak] for first, second, text, leak in ORDER],
            "solution": SOLUTION,
        }

    def solve(self):
        """Put every step where it belongs, and return the explorable."""
        self.state = {"lanes": SOLUTION, "checked": True}
        return self

    def summary(self):
        lanes, checked = self.state["lanes"], self.state["checked"]
        placed = len(STEPS) - len(lanes[0])
        if placed == 0:
            return "Nothing is placed yet: ten steps lie on the tray."
        found = faults(lanes)
        if placed == len(STEPS) and checked and not found:
            return (
                "All ten steps are placed, and nothing leaks: four once before, four for every batch, one an epoch, "
                "one at the end."
            )
        counted = f"{placed} of ten steps are placed"
        if not checked:
            return f"{counted}; press Check to see what goes wrong."
        if not found:
            return f"{counted}, and nothing is wrong so far."
        leaks = sum(leak for _, _, leak in found)
        step, text, _ = found[0]
        return f"{counted}, {len(found)} go wrong, {leaks} of them leak; {list(STEPS.values())[step][0]}: {text}."

    def static_figure(self):
        import plotly.graph_objects as go

        lanes = self.state["lanes"]
        wrong = {step: leak for step, _, leak in faults(lanes)} if self.state["checked"] else {}
        names = list(STEPS.values())
        figure = go.Figure()
        colours = {None: style.SEQUENCE[0], False: style.PALETTE["validation"], True: style.PALETTE["negative"]}
        for kind, label in ((None, "step"), (False, "goes wrong"), (True, "leak")):
            members = [
                (number, at, names[step][0])
                for number, lane in enumerate(lanes)
                for at, step in enumerate(lane)
                if wrong.get(step) is kind
            ]
            if members:
                x, y, text = zip(*members, strict=True)
                figure.add_scatter(
                    x=x,
                    y=y,
                    text=text,
                    mode="markers+text",
                    textposition="middle right",
                    marker={"size": 11, "color": colours[kind]},
                    name=label,
                )
        figure.update_layout(
            template=style.template(),
            title={"text": self.title, "subtitle": {"text": self.summary()}},
            height=430,
            xaxis={
                "title": "when",
                "tickvals": list(range(5)),
                "ticktext": LANES,
                "range": [-0.2, 4.8],
                "showgrid": False,
            },
            yaxis={"title": "order", "autorange": "reversed", "dtick": 1, "range": [9.5, -0.5]},
        )
        return figure
