"""The inputs as points of a plane, as a layer of the network groups them: PCA and t-SNE."""

from __future__ import annotations

from course_lib import style
from course_lib.explorables.base import choice, integer
from course_lib.explorables.network_viewer import NetworkViewer, as_picture, layer_shapes

#: Above this t-SNE takes more than a few seconds.
MAXIMUM_POINTS = 1000

N_NEIGHBOURS = 5

PERPLEXITIES = (5, 10, 20, 30, 50)

#: The first choice in the list of layers: no network at all.
INPUT = "input"

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star", "pentagon", "hexagon")


class EmbeddingViewer(NetworkViewer):
    """See how a layer arranges the inputs; point at one to see it and its neighbours in the layer.

    Parameters
    ----------
    model : keras.Model
        Sequential, Functional or subclassed, with one input. It is not changed.
    inputs : array_like
        Shape ``(n, ...)``.
    labels : array_like of int, optional
        Class of each input, shape ``(n,)``: gives the colours, and the share of neighbours of the same class.
    class_names : sequence of str, optional
        A name for each class.
    n_points : int
        How many of the inputs become points, evenly spaced in the array; at most 1000.
    layer : str
        Whose output: maps are averaged over their pixels. ``"input"`` is the inputs themselves; the layer before the
        last one by default.
    method : {"PCA", "t-SNE"}
        The two directions of largest variance, or t-distributed stochastic neighbour embedding (scikit-learn).
    perplexity : int
        Of t-SNE: about how many neighbours of a point count; one of `PERPLEXITIES`.
    seed : int
        Of t-SNE.
    point : int
        The point that is looked at.

    Raises
    ------
    ValueError
        If there are fewer than 10 inputs, or the layer does not exist.

    Notes
    -----
    t-SNE keeps neighbours, not distances: the size of a cluster and the distance between clusters say nothing. How many
    nearest neighbours survive is written beside the picture. It needs about a second for 500 points; what was
    computed once is kept.

    References
    ----------
    L. van der Maaten, G. Hinton, Journal of Machine Learning Research 9 (2008) 2579.

    Examples
    --------
    >>> import keras, numpy as np
    >>> layers = [keras.layers.Input((5,)), keras.layers.Dense(4, name="hidden"), keras.layers.Dense(2)]
    >>> viewer = EmbeddingViewer(keras.Sequential(layers), np.random.default_rng(0).normal(size=(30, 5)))
    >>> viewer.answer()["points"].shape, viewer.state["layer"]
    ((30, 2), 'hidden')
    """

    name = "embedding_viewer"
    title = "Embedding"
    figure = "Chapter 12"
    goal = "See in which layer the classes come apart, and look at the inputs that lie on the wrong side."

    def __init__(self, model, inputs, labels=None, *, class_names=None, n_points=500, **opening):
        import numpy as np

        self.take_network(model, inputs, labels, class_names)
        if len(self.inputs) < 10:
            raise ValueError(
                f"EmbeddingViewer needs at least 10 inputs, not {len(self.inputs)}: there is nothing to arrange."
            )
        if not 10 <= n_points <= MAXIMUM_POINTS:
            raise ValueError(f"EmbeddingViewer: n_points must be from 10 to {MAXIMUM_POINTS}; seen: {n_points}.")
        count = min(n_points, len(self.inputs))
        #: Which input each point is.
        self.indices = np.linspace(0, len(self.inputs) - 1, count).round().astype(int)
        shapes = layer_shapes(model, self.inputs)
        names = [INPUT, *(name for name, shape in shapes.items() if shape)]
        fields = {
            "layer": choice(names[-2], names, "whose output is arranged"),
            "method": choice("PCA", ["PCA", "t-SNE"], "how the points are arranged"),
            "perplexity": choice(20, PERPLEXITIES, "neighbours that count in t-SNE"),
            "seed": integer(0, 0, 99, "seed of t-SNE"),
            "point": integer(0, 0, count - 1, "the point that is looked at"),
        }
        self._layers = names
        self.forget()
        super().__init__(fields, opening)

    @classmethod
    def constants(cls):
        return {"sequence": style.SEQUENCE}

    def setup(self):
        """Return the layers, the classes and the label of each point."""
        labels = self._labels_of_points()
        return {
            "layers": self._layers,
            "classes": list(self.class_names) if labels is not None else [],
            "labels": [] if labels is None else labels.tolist(),
            "perplexities": PERPLEXITIES,
            "count": len(self.indices),
        }

    def _labels_of_points(self):
        return None if self.labels is None else self.labels[self.indices]

    def forget(self):
        """Forget what was computed: the model may have been trained further."""
        self._kept = {}
        #: The t-SNE for which the points of PCA stood in already.
        self._announced = None

    def _keep(self, key, compute):
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    def features(self, layer):
        """Return the output of a layer for all points, ``(n_points, n_features)``; maps averaged over their pixels."""
        from course_lib import introspection

        def compute():
            values = self.inputs[self.indices]
            if layer == INPUT:
                return values.reshape(len(values), -1)
            output = introspection.activations(self.model, values, layer)
            return output.reshape(len(output), -1, output.shape[-1]).mean(axis=1)

        return self._keep(("features", layer), compute)

    def _arranged(self, method):
        """Return the points in the plane ``(n_points, 2)`` and words for how good the picture is."""
        state = self._state
        features = self.features(state["layer"])
        if method == "PCA":
            return self._keep(("PCA", state["layer"]), lambda: principal_components(features))
        key = self._key()
        return self._keep(key, lambda: _neighbour_embedding(features, state["perplexity"], state["seed"]))

    def _key(self):
        return ("t-SNE", *(self._state[name] for name in ("layer", "perplexity", "seed")))

    def answer(self):
        """Return the points; for t-SNE at first those of PCA, and then, as it takes longer, its own."""
        import numpy as np

        state = self._state
        key = self._key()
        is_preview = state["method"] == "t-SNE" and key not in self._kept and self._announced != key
        if is_preview:
            self._announced = key
        shown_method = "PCA" if is_preview else state["method"]
        points, explained = self._arranged(shown_method)
        features = self.features(state["layer"])
        in_layer = self._keep(("neighbours", state["layer"]), lambda: nearest_neighbours(features))
        in_plane = nearest_neighbours(points)
        kept = float(np.mean([len(set(a) & set(b)) for a, b in zip(in_layer, in_plane, strict=True)]) / N_NEIGHBOURS)
        point = state["point"]
        index = int(self.indices[point])
        scores = self._scores(self.inputs[index : index + 1])
        predicted = int(self.predicted_classes(scores)[0])
        neighbours = [int(neighbour) for neighbour in in_layer[point]]
        shown = self.inputs[self.indices[[point, *neighbours]]]
        same = None
        if self.labels is not None:
            labels = self._labels_of_points()
            same = float((labels[in_layer] == labels[:, None]).mean())
        variance = f", {100 * explained:.0f} % of the variance" if explained is not None else ""
        return {
            "points": points,
            "pictures": np.stack([as_picture(value, self.colours) for value in shown]),
            "colours": self.colours,
            "neighbours": neighbours,
            "index": index,
            "predicted": self.class_names[predicted],
            "kept": kept,
            "same": same,
            "explained": explained,
            "method": shown_method,
            "more": is_preview,
            "summary": (
                f"{len(points)} inputs arranged by {shown_method} of {self._layer_words()}{variance}; "
                f"{100 * kept:.0f} % of the {N_NEIGHBOURS} nearest neighbours stay neighbours in the picture; point "
                f"{point} is input {index}, taken for {self.class_names[predicted]}{self.truth_of(index)}."
            ),
        }

    def _layer_words(self):
        return "the inputs themselves" if self._state["layer"] == INPUT else f"layer {self._state['layer']}"

    def static_figure(self):
        """Return the points, one colour and symbol for each class."""
        import textwrap

        import numpy as np
        import plotly.graph_objects as go

        content = self.complete_answer()
        points, labels = np.asarray(content["points"], dtype=np.float32), self._labels_of_points()
        groups = [("inputs", np.ones(len(points), dtype=bool))]
        if labels is not None:
            groups = [(name, labels == index) for index, name in enumerate(self.class_names)]
        figure = go.Figure()
        for index, (name, members) in enumerate(groups):
            marker = {
                "color": style.SEQUENCE[index % len(style.SEQUENCE)],
                "symbol": SYMBOLS[index % len(SYMBOLS)],
                "size": 8,
            }
            figure.add_scatter(x=points[members, 0], y=points[members, 1], mode="markers", name=name, marker=marker)
        ring = {"color": "rgba(0,0,0,0)", "size": 18, "line": {"color": style.PALETTE["highlight"], "width": 3}}
        point = self._state["point"]
        figure.add_scatter(
            x=points[point : point + 1, 0],
            y=points[point : point + 1, 1],
            mode="markers",
            name=f"point {point}",
            marker=ring,
        )
        axis = "principal component" if content["method"] == "PCA" else "t-SNE coordinate"
        figure.update_xaxes(title=f"first {axis}")
        figure.update_yaxes(title=f"second {axis}")
        lines = textwrap.wrap(content["summary"], 110)
        figure.update_layout(
            template=style.template(),
            title={"text": f"{self.title} of {self._layer_words()}", "subtitle": {"text": "<br>".join(lines)}},
            legend={"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top"},
            margin={"t": 84 + 18 * len(lines)},
            height=560,
        )
        return figure


def principal_components(features):
    """Return the projections on the two directions of largest variance, and the share of the variance in them.

    Parameters
    ----------
    features : numpy.ndarray, shape (n, n_features)

    Returns
    -------
    points : numpy.ndarray, shape (n, 2)
        The second column is zero where there is only one feature.
    explained : float

    Examples
    --------
    >>> import numpy as np
    >>> points, explained = principal_components(np.outer(np.arange(10.0), [3.0, 4.0]))
    >>> float(np.ptp(points[:, 0]).round(6)), round(explained, 6)
    (45.0, 1.0)
    """
    import numpy as np
    from sklearn.decomposition import PCA

    if features.shape[1] == 1:
        return np.concatenate([features - features.mean(), np.zeros_like(features)], axis=1), 1.0
    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), 2), dtype=np.float32), 1.0
    fitted = PCA(n_components=2, svd_solver="full").fit(features)
    return fitted.transform(features), float(fitted.explained_variance_ratio_.sum())


def _neighbour_embedding(features, perplexity, seed):
    from sklearn.manifold import TSNE

    # scikit-learn asks for fewer neighbours than points.
    perplexity = min(perplexity, (len(features) - 1) / 3)
    start, _ = principal_components(features)
    spread = start[:, 0].std() or 1.0
    # From the principal components, small: t-SNE then keeps the coarse arrangement, and the seed hardly matters.
    embedding = TSNE(
        perplexity=perplexity, init=(1e-4 * start / spread).astype("float32"), random_state=seed, max_iter=500
    )
    with _one_thread():
        return embedding.fit_transform(features), None


def nearest_neighbours(points):
    """Return the indices of the nearest points of each point, itself left out: ``(n, N_NEIGHBOURS)``.

    Examples
    --------
    >>> import numpy as np
    >>> nearest_neighbours(np.arange(12.0)[:, None])[0]
    array([1, 2, 3, 4, 5])
    """
    from sklearn.neighbors import NearestNeighbors

    # Without arguments the point itself is left out, even where another one lies at the same place.
    with _one_thread():
        return NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(points).kneighbors(return_distance=False)


def _one_thread():
    """Keep scikit-learn to one thread: beside TensorFlow its many short parallel loops wait for each other.

    Measured on two busy cores: t-SNE of 500 points takes 17 s with both, 1 s with one.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
