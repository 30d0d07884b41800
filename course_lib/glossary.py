"""The words and the symbols of the whole course: one source for the glossary page and for the cards of chapter 6.

Every term is explained in one sentence, with the section of the textbook's numbering in which it is used first.
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """One word of the course.

    Attributes
    ----------
    name : str
        As it stands in the chapters.
    group : str
        One of `GROUPS`.
    meaning : str
        One sentence.
    sections : str
        Where it is used first, for example ``"3.1"``.
    """

    name: str
    group: str
    meaning: str
    sections: str


class Symbol(NamedTuple):
    """One symbol: as LaTeX, what it stands for, where, and what it is not to be confused with."""

    latex: str
    meaning: str
    sections: str
    beware: str = ""


#: Group of terms -> what it is about.
GROUPS = {
    "model": "Model, task, layers",
    "learning": "Learning",
    "data": "Data",
    "statistics": "Statistics of a training",
    "architectures": "Words of the later parts",
}

_MODEL = [
    ("neural network", "a function with very many adjustable numbers, used as a model of a process", "1.4"),
    ("network parameters", "all weights and biases together, written θ; the training sets them", "2.3, 3.1"),
    ("weight", "a parameter that multiplies an input of a node", "3.1"),
    ("bias", "a parameter that is added to the weighted sum of a node", "3.1"),
    ("hyperparameter", "a number that a person chooses before the training, such as the nodes of a layer", "5.5"),
    ("node", "an affine map of the inputs followed by an activation function; also called neuron", "3.1, 3.2"),
    ("layer", "nodes side by side that read the same inputs", "3.1"),
    ("hidden layer", "a layer whose values are neither the input nor the prediction", "3.3"),
    ("affine map", "a matrix product plus a constant vector, W x + b", "3.1"),
    (
        "activation function",
        "the nonlinear function after the affine map; without it, layers would merge into one",
        "3.2",
    ),
    ("ReLU", "the activation function that keeps positive numbers and sets negative ones to zero", "3.2"),
    ("sigmoid", "a smooth step from 0 to 1; as last activation it gives a probability for two classes", "3.2, 3.3"),
    ("softmax", "turns a list of numbers into probabilities that add up to one", "3.3"),
    ("logit", "the number that goes into a sigmoid or a softmax", "3.3"),
    ("prediction", "what the network puts out for an input", "3.3"),
    ("regression", "predicting a number from a continuous range, such as an energy", "3.3, 4.4"),
    ("classification", "predicting one of several classes, such as signal or background", "3.3, 4.4"),
    ("feature", "a quantity that describes an event: measured, made by hand, or computed inside the network", "1.4"),
    ("feature hierarchy", "with depth, features are made of features and become more abstract", "6"),
    ("feature space", "the space spanned by the values inside a layer, in which events are points", "6"),
    ("spatial domain", "where the data were measured: positions, times, pixels", "6"),
    (
        "universal approximation",
        "one hidden layer that is wide enough comes as close as we like to a continuous function",
        "3.4",
    ),
    ("depth and width", "the number of layers, and the number of nodes in a layer", "3.4, 5.5"),
]

_LEARNING = [
    ("training", "tuning all parameters with data until the objective function is small", "2.3, 4.4"),
    ("objective function", "the one number that the training makes small; also loss or cost", "4.4"),
    ("mean squared error", "the mean of the squared differences between prediction and target", "4.4"),
    ("cross entropy", "minus the logarithm of the probability that was given to the true class, averaged", "4.4"),
    ("metric", "a number that people watch, such as the accuracy; nothing is differentiated by it", "5.3"),
    ("gradient", "the list of all ∂L/∂θ: in which direction the objective grows fastest", "4.5"),
    (
        "backpropagation",
        "the chain rule, evaluated from the output backwards so that shared factors are computed once",
        "4.5",
    ),
    ("differentiable", "having a useful derivative, so that the gradient can say how to change each parameter", "4.5"),
    ("stochastic gradient descent", "steps against the gradient of a small random part of the data", "4.6"),
    ("learning rate", "the factor α between the gradient and the change of a parameter", "4.7"),
    ("momentum", "a running mean of earlier gradients that smooths the direction of the steps", "4.8"),
    ("Adam", "gradient descent with momentum and with a step size of its own for every parameter", "4.8"),
    ("initialisation", "how the parameters are drawn before the first step, so that signals keep their size", "4.3"),
    ("vanishing gradient", "derivatives that shrink from layer to layer until the first layers stop learning", "7.4"),
    ("regularisation", "whatever makes a network do worse on training data so that it does better on new data", "5.4"),
    ("parameter norm penalty", "a term in the objective that makes large weights costly (L1 or L2)", "5.4"),
    ("dropout", "switching off random nodes in each step, so that none can rely on another", "5.4"),
    ("early stopping", "ending the training where the validation loss was smallest", "5.4"),
    ("capacity", "how complicated a function the model can become", "5.1"),
]

_DATA = [
    ("event", "one example: all inputs that belong together, and their label", "2.1"),
    ("target", "the value that the network should predict; also label or truth", "2.1"),
    ("labelled data", "events that carry their target", "2.1"),
    ("supervised training", "learning with targets, which in physics often come from a simulation", "2.3"),
    ("preprocessing", "bringing inputs to similar ranges before the network sees them", "4.1"),
    ("standardisation", "subtracting the mean and dividing by the standard deviation of the training data", "4.1"),
    ("whitening", "standardisation after rotating to axes without correlation", "4.1"),
    ("one-hot encoding", "a class as a list of zeros with a single one", "3.3"),
    ("outlier", "an event far away from all others, real or mismeasured", "4.1"),
    ("data leak", "information about the test events that reached the training", "6"),
]

_STATISTICS = [
    ("epoch", "one pass through all training data", "4.2"),
    ("minibatch", "the few events of which one step computes the gradient; often just batch", "4.2"),
    ("iteration", "one step: one batch, one update of all parameters", "4.2"),
    ("training data", "the events by which parameters are set", "5.2"),
    ("validation data", "the events by which people choose hyperparameters and the moment to stop", "5.2"),
    ("test data", "the events used once, at the very end, to state the performance", "5.2"),
    ("generalisation", "performing as well on new events as on those of the training", "5.1"),
    ("overfitting", "the training loss still falls while the validation loss rises", "5.1, 5.3"),
    ("underfitting", "a model too simple, or trained too little, even for its training data", "5.1"),
    ("bias and variance", "the error of the average model, and the scatter of the models around it", "5.1"),
    ("accuracy", "the share of events with the right class", "5.3"),
    ("resolution", "the width of the distribution of prediction minus truth", "7.2"),
    ("ROC curve", "background rejection against signal efficiency for every threshold", "5.3"),
    ("statistical uncertainty", "what would change with another sample of the same size", "1.5"),
    ("systematic uncertainty", "what would change with another simulation, detector or choice", "1.5"),
]

_ARCHITECTURES = [
    ("residual connection", "a shortcut that adds the input of a block to its output", "7.5"),
    (
        "batch normalisation",
        "standardising the values of a layer over each batch, then rescaling them by learned numbers",
        "7.6",
    ),
    ("convolution", "the same small filter applied at every place", "8.1"),
    ("receptive field", "the part of the input that one value of a deep layer can see", "8.3"),
    ("pooling", "summarising neighbouring values by their maximum or mean", "8.3"),
    ("recurrent network", "a network that reads a sequence step by step and carries a memory", "9"),
    ("graph network", "a network in which nodes exchange messages with their neighbours", "10"),
    ("embedding", "a learned vector that stands for a thing, such as a particle type", "10"),
    ("attention", "weights, computed from the data, by which elements look at each other", "10"),
    ("saliency", "how strongly the output reacts to each input: a derivative", "12"),
    ("autoencoder", "a network that reproduces its input through a narrow middle", "17"),
    ("latent", "not measured, but assumed or learned to lie behind what is measured", "17"),
    ("generative model", "a model from which new events can be drawn", "18"),
    ("domain adaptation", "making a network trained on simulation work on measured data", "19"),
    ("anomaly", "an event that the usual model does not describe", "20"),
    ("pre-training and fine-tuning", "training on much cheap data first, then on little of the data of interest", "15"),
    ("self-supervised", "with targets made from the data themselves, for example a part that was hidden", "15"),
    (
        "inference",
        "in machine learning: computing predictions; in statistics: learning from data about parameters",
        "3.3",
    ),
]

#: All terms, group by group.
TERMS = tuple(
    Term(name, group, meaning, sections)
    for group, terms in zip(GROUPS, (_MODEL, _LEARNING, _DATA, _STATISTICS, _ARCHITECTURES), strict=True)
    for name, meaning, sections in terms
)

#: Symbols as the chapters use them.
SYMBOLS = (
    Symbol(r"x,\ \vec x", "input of a network: a number or a vector", "2, 3", "x is also a position in space"),
    Symbol(
        r"y,\ \hat y", "target (true value), and prediction", "2, 4.4", "some texts write the prediction without a hat"
    ),
    Symbol(
        r"W,\ W_{ij}", "matrix of weights, and one weight: to node i from input j", "3.1", "Keras stores the transpose"
    ),
    Symbol(r"b", "bias, a vector with one entry a node", "3.1", "not the bias of an estimator, 5.1"),
    Symbol(r"\theta,\ \phi", "all adjustable parameters", "2.3", "both are also angles on the sky"),
    Symbol(r"\sigma(\cdot)", "activation function", "3.2", "σ without an argument is a width"),
    Symbol(r"\sigma", "standard deviation; resolution", "1.5, 7.2", "in chapter 18 also the spectral norm"),
    Symbol(r"z", "value of a node before the activation; later a latent variable", "3.2, 17"),
    Symbol(r"\mathcal L", "objective function (loss, cost)", "2.3, 4.4", "the likelihood is written out"),
    Symbol(r"\alpha", "learning rate", "4.7"),
    Symbol(r"\beta_1,\ \beta_2", "how long Adam's two running means remember", "4.8"),
    Symbol(r"\nabla_\theta", "gradient with respect to all parameters", "4.5"),
    Symbol(r"\lambda", "strength of a penalty", "5.4"),
    Symbol(r"d,\ k", "number of training events, and of events in a batch", "4.2"),
    Symbol(r"n,\ m", "numbers of inputs and of nodes of a layer", "3.1"),
    Symbol(r"f,\ g", "functions", "2"),
    Symbol(r"p(x)", "probability, or probability density", "2, 14"),
    Symbol(r"x\sim p", "x is drawn from the distribution p", "14, 18"),
    Symbol(r"\mathbb E,\ \langle\cdot\rangle", "expectation value; mean over a sample", "5.1, 14"),
    Symbol(r"\mu", "mean; true parameter of a distribution", "1.5"),
    Symbol(r"r", "coefficient of correlation (Pearson)", "3", "also a distance"),
    Symbol(r"\vec x\cdot\vec y", "scalar product", "3.1"),
    Symbol(r"A\odot B", "product element by element (Hadamard)", "4.5, 9"),
    Symbol(r"f * g", "convolution; in networks without the flip", "8.1"),
    Symbol(r"T,\ T_c", "temperature and critical temperature of the Ising model, in units of J/k", "7.3, 8"),
    Symbol(r"E", "energy, with its unit", "7, 11", "not the expectation, which is 𝔼"),
)


def find(name):
    """Return the `Term` of that name.

    Parameters
    ----------
    name : str
        Upper and lower case are the same.

    Returns
    -------
    Term

    Raises
    ------
    KeyError
        If the glossary does not have it; the message names the nearest terms.

    Examples
    --------
    >>> find("Epoch").meaning
    'one pass through all training data'
    >>> find("epochs")
    Traceback (most recent call last):
    ...
    KeyError: "the glossary has no term 'epochs'; nearest: epoch"
    """
    import difflib

    known = {term.name.casefold(): term for term in TERMS}
    if name.casefold() in known:
        return known[name.casefold()]
    near = difflib.get_close_matches(name.casefold(), known, n=3)
    raise KeyError(f"the glossary has no term {name!r}" + (f"; nearest: {', '.join(near)}" if near else ""))
