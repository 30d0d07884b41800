"""Images with classes: MNIST, Fashion-MNIST, CIFAR-10, and what stands in for them without network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.data import _resolution
from course_lib.data._resolution import REAL, STAND_IN, DataUnavailable
from course_lib.simulators._arguments import require_count

CIFAR10_CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

#: Stand-ins are the same for everybody: one seed for training, one for test images.
_TRAINING_SEED, _TEST_SEED = 10, 11


class LabelledImages(NamedTuple):
    """Images and their classes.

    Attributes
    ----------
    images : numpy.ndarray, uint8, shape (n, height, width) or (n, height, width, 3)
    labels : numpy.ndarray, int64, shape (n,)
        Index into `class_names`.
    class_names : tuple of str
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple


class ImageClasses(NamedTuple):
    """A named image set in its two public parts; use the fields by name.

    Attributes
    ----------
    train_images, test_images : numpy.ndarray, uint8
        (n, 28, 28) for MNIST and Fashion-MNIST, (n, 32, 32, 3) for CIFAR-10; values 0 to 255.
    train_labels, test_labels : numpy.ndarray, int64, shape (n,)
        Index into `class_names`.
    class_names : tuple of str
    provenance : str
        ``"real"`` or ``"stand-in"``.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple
    provenance: str


def make_digits(n_samples=1000, *, part="training", seed=None):
    """Handwritten digits of 28 x 28 pixels from scikit-learn's small originals.

    Parameters
    ----------
    n_samples : int
    part : {"training", "test"}
        The two parts come from different originals.
    seed : int, optional

    Returns
    -------
    LabelledImages
        See `course_lib.simulators.digits.sample`.

    Examples
    --------
    >>> from course_lib.data import make_digits
    >>> make_digits(5, seed=0).images.shape
    (5, 28, 28)
    """
    from course_lib.simulators import digits

    return LabelledImages(*digits.sample(n_samples, part=part, seed=seed), digits.CLASS_NAMES)


def make_silhouettes(n_samples=1000, *, seed=None):
    """Silhouettes of ten kinds of clothes, 28 x 28 pixels.

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    LabelledImages
        See `course_lib.simulators.silhouettes.sample`.

    Examples
    --------
    >>> from course_lib.data import make_silhouettes
    >>> make_silhouettes(5, seed=0).class_names[8]
    'Bag'
    """
    from course_lib.simulators import silhouettes

    return LabelledImages(*silhouettes.sample(n_samples, seed=seed), silhouettes.CLASS_NAMES)


def make_event_pictures(n_samples=1000, *, seed=None):
    """Coloured pictures of ten kinds of physics events, 32 x 32 pixels.

    Parameters
    ----------
    n_samples : int
    seed : int, optional

    Returns
    -------
    LabelledImages
        See `course_lib.simulators.event_pictures.sample`.

    Examples
    --------
    >>> from course_lib.data import make_event_pictures
    >>> make_event_pictures(5, seed=0).images.shape
    (5, 32, 32, 3)
    """
    from course_lib.simulators import event_pictures

    return LabelledImages(*event_pictures.sample(n_samples, seed=seed), event_pictures.CLASS_NAMES)


def fetch_mnist(*, n_train=60_000, n_test=10_000, stand_in=None):
    """Get MNIST, handwritten digits, or its announced stand-in.

    Parameters
    ----------
    n_train, n_test : int
        How many images of each part, from its beginning; at most 60 000 and 10 000.
    stand_in : bool, optional
        None: simulate only if the file cannot be had. True: simulate at once. False: never simulate, raise.

    Returns
    -------
    ImageClasses
        Images of the shape (n, 28, 28).

    Warns
    -----
    StandInNotice
        When the images are simulated (`make_digits`).

    Raises
    ------
    ValueError
        For more images than there are.
    DataUnavailable
        With ``stand_in=False``, when the file cannot be had.

    Examples
    --------
    >>> import warnings
    >>> from course_lib.data import fetch_mnist
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     digits = fetch_mnist(n_train=100, n_test=50, stand_in=True)
    >>> digits.train_images.shape, digits.provenance
    ((100, 28, 28), 'stand-in')
    """
    sizes = _sizes(n_train, n_test, 60_000, 10_000)

    def read(path):
        names = ("x_train", "y_train", "x_test", "y_test")
        arrays = _resolution.read_npz(path, names)
        return _real(*(arrays[name] for name in names), (28, 28), tuple("0123456789"), sizes)

    def simulate():
        train = make_digits(sizes[0], part="training", seed=_TRAINING_SEED)
        return _simulated(train, make_digits(sizes[1], part="test", seed=_TEST_SEED))

    return _resolution.real_or_stand_in("mnist", read, simulate, stand_in=stand_in)


def fetch_fashion_mnist(*, n_train=60_000, n_test=10_000, stand_in=None):
    """Get Fashion-MNIST, photographs of clothes, or its announced stand-in.

    Parameters
    ----------
    n_train, n_test : int
        How many images of each part, from its beginning; at most 60 000 and 10 000.
    stand_in : bool, optional
        None: simulate only if the files cannot be had. True: simulate at once. False: never simulate, raise.

    Returns
    -------
    ImageClasses
        Images of the shape (n, 28, 28).

    Warns
    -----
    StandInNotice
        When the images are simulated (`make_silhouettes`).

    Raises
    ------
    ValueError
        For more images than there are.
    DataUnavailable
        With ``stand_in=False``, when a file cannot be had.

    Examples
    --------
    >>> import warnings
    >>> from course_lib.data import fetch_fashion_mnist
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     clothes = fetch_fashion_mnist(n_train=100, n_test=50, stand_in=True)
    >>> clothes.test_images.shape, clothes.class_names[9]
    ((50, 28, 28), 'Ankle boot')
    """
    from course_lib.simulators.silhouettes import CLASS_NAMES

    sizes = _sizes(n_train, n_test, 60_000, 10_000)

    def read(*paths):
        arrays = [_read_idx(path) for path in paths]
        return _real(*arrays, (28, 28), CLASS_NAMES, sizes)

    def simulate():
        train = make_silhouettes(sizes[0], seed=_TRAINING_SEED)
        return _simulated(train, make_silhouettes(sizes[1], seed=_TEST_SEED))

    return _resolution.real_or_stand_in("fashion_mnist", read, simulate, stand_in=stand_in)


def fetch_cifar10(*, n_train=50_000, n_test=10_000, stand_in=None):
    """Get CIFAR-10, small colour photographs, or its announced stand-in.

    The binary version is read; the "python version" is made of pickles, which the course never loads.

    Parameters
    ----------
    n_train, n_test : int
        How many images of each part, from its beginning; at most 50 000 and 10 000.
    stand_in : bool, optional
        None: simulate only if the file cannot be had. True: simulate at once. False: never simulate, raise.

    Returns
    -------
    ImageClasses
        Images of the shape (n, 32, 32, 3). The stand-in has other classes than the real set; see `class_names`.

    Warns
    -----
    StandInNotice
        When the images are simulated (`make_event_pictures`).

    Raises
    ------
    ValueError
        For more images than there are.
    DataUnavailable
        With ``stand_in=False``, when the file cannot be had.

    Examples
    --------
    >>> import warnings
    >>> from course_lib.data import fetch_cifar10
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     pictures = fetch_cifar10(n_train=100, n_test=50, stand_in=True)
    >>> pictures.train_images.shape, pictures.train_images.dtype
    ((100, 32, 32, 3), dtype('uint8'))
    """
    sizes = _sizes(n_train, n_test, 50_000, 10_000)

    def read(path):
        names = [f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)]
        names.append("cifar-10-batches-bin/test_batch.bin")
        members = _resolution.read_tar_members(path, names)
        parts = [_read_cifar_batch(members[name], path) for name in names]
        images = np.concatenate([images for images, _ in parts])
        labels = np.concatenate([labels for _, labels in parts])
        split = len(images) - len(parts[-1][0])
        arrays = images[:split], labels[:split], images[split:], labels[split:]
        return _real(*arrays, (32, 32, 3), CIFAR10_CLASS_NAMES, sizes)

    def simulate():
        train = make_event_pictures(sizes[0], seed=_TRAINING_SEED)
        return _simulated(train, make_event_pictures(sizes[1], seed=_TEST_SEED))

    return _resolution.real_or_stand_in("cifar10", read, simulate, stand_in=stand_in)


def _sizes(n_train, n_test, most_train, most_test):
    for name, value, most in (("n_train", n_train, most_train), ("n_test", n_test, most_test)):
        if require_count(name, value) > most:
            raise ValueError(f"{name} must be at most {most}, the size of the set, got {value}")
    return n_train, n_test


def _real(train_images, train_labels, test_images, test_labels, shape, class_names, sizes):
    for images, labels, n in ((train_images, train_labels, sizes[0]), (test_images, test_labels, sizes[1])):
        good = images.dtype == np.uint8 and images.shape[1:] == shape and len(images) == labels.size >= n
        if not good or labels.max() >= len(class_names):
            raise DataUnavailable(
                f"the file holds {len(images)} images of the shape {images.shape[1:]} with {labels.size} labels; "
                "this is not the registered set"
            )
    return ImageClasses(
        train_images[: sizes[0]].copy(),
        train_labels[: sizes[0]].reshape(-1).astype(np.int64),
        test_images[: sizes[1]].copy(),
        test_labels[: sizes[1]].reshape(-1).astype(np.int64),
        class_names,
        REAL,
    )


def _simulated(train, test):
    return ImageClasses(train.images, train.labels, test.images, test.labels, train.class_names, STAND_IN)


def _read_idx(path):
    """Array of a gzipped IDX file: 2 zero bytes, type (8 = uint8), number of axes, big-endian sizes, data."""
    content = _resolution.read_gzip(path)
    if len(content) < 8 or content[:3] != b"\x00\x00\x08":
        raise DataUnavailable(f"{path} is not an IDX file of bytes")
    n_axes = content[3]
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", n_axes, offset=4))
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes)
    if data.size != np.prod(shape):
        raise DataUnavailable(f"{path} announces {shape} bytes but holds {data.size}")
    return data.reshape(shape)


def _read_cifar_batch(content, path):
    """Records of one label byte and three colour planes of 32 x 32 bytes."""
    if len(content) % 3073:
        raise DataUnavailable(f"{path}: a batch has {len(content)} bytes, not a multiple of 3073")
    records = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]
