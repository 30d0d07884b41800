"""Image sets: real files in their formats, announced stand-ins, and the geometry of the simulated pictures."""

import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from course_lib.data import (
    DataUnavailable,
    StandInNotice,
    _resolution,
    fetch_cifar10,
    fetch_fashion_mnist,
    fetch_mnist,
    make_digits,
    make_event_pictures,
    make_silhouettes,
)
from course_lib.simulators import digits, event_pictures

RNG = np.random.default_rng(0)


def idx(array):
    """Gzipped IDX file as its specification says."""
    header = b"\x00\x00\x08" + bytes([array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes())


def small_set(shape, n_train=30, n_test=20):
    images = RNG.integers(0, 256, (n_train + n_test, *shape), dtype=np.uint8)
    labels = RNG.integers(0, 10, n_train + n_test).astype(np.uint8)
    return images[:n_train], labels[:n_train], images[n_train:], labels[n_train:]


def mnist_files(arrays):
    stream = io.BytesIO()
    np.savez(stream, **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
    return {"mnist.npz": stream.getvalue()}


def fashion_files(arrays):
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return {f"{name}-ubyte.gz": idx(array) for name, array in zip(names, arrays, strict=True)}


def cifar_files(arrays):
    train_images, train_labels, test_images, test_labels = arrays
    batches = {
        f"cifar-10-batches-bin/data_batch_{i + 1}.bin": (train_images[i::5], train_labels[i::5]) for i in range(5)
    }
    batches["cifar-10-batches-bin/test_batch.bin"] = (test_images, test_labels)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, (images, labels) in batches.items():
            content = b"".join(
                bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(images, labels, strict=True)
            )
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return {"cifar-10-binary.tar.gz": stream.getvalue()}


@pytest.fixture
def provide(monkeypatch, tmp_path):
    """Put files into the administrator's folder and register their checksums."""
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(_resolution, "cache_folder", lambda: tmp_path / "cache")

    def write(dataset, files):
        (tmp_path / dataset).mkdir()
        entries = {}
        for name, content in files.items():
            (tmp_path / dataset / name).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            entry = _resolution.RegisteredFile(dataset, name, digest, "https://example.invalid/x")
            entries[entry.key] = entry
        monkeypatch.setattr(_resolution, "registry", lambda: entries)

    return write


SETS = [
    ("mnist", fetch_mnist, mnist_files, (28, 28)),
    ("fashion_mnist", fetch_fashion_mnist, fashion_files, (28, 28)),
    ("cifar10", fetch_cifar10, cifar_files, (32, 32, 3)),
]


@pytest.mark.parametrize(("dataset", "fetch", "files", "shape"), SETS)
def test_real_files_are_read_in_their_format(provide, dataset, fetch, files, shape):
    arrays = small_set(shape)
    provide(dataset, files(arrays))
    found = fetch(n_train=30, n_test=20, stand_in=False)
    assert found.provenance == "real"
    if dataset == "cifar10":  # batches were dealt out like cards
        order = np.concatenate([np.arange(30)[i::5] for i in range(5)])
        arrays = arrays[0][order], arrays[1][order], arrays[2], arrays[3]
    for got, expected in zip(found[:4], arrays, strict=True):
        assert np.array_equal(got, expected)
    assert found.train_labels.dtype == np.int64 and len(found.class_names) == 10
    few = fetch(n_train=7, n_test=3)
    assert np.array_equal(few.train_images, found.train_images[:7]) and few.test_labels.shape == (3,)


@pytest.mark.parametrize(("dataset", "fetch", "files", "shape"), SETS)
def test_a_file_of_another_shape_is_refused(provide, dataset, fetch, files, shape):
    provide(dataset, files(small_set(shape, n_train=10, n_test=5)))
    with pytest.raises(DataUnavailable, match="not the registered set"):
        fetch(n_train=30, n_test=5, stand_in=False)
    with pytest.warns(StandInNotice, match="SIMULATED STAND-IN"):
        assert fetch(n_train=30, n_test=5).provenance == "stand-in"


def test_a_mislabelled_idx_file_is_refused(provide):
    files = fashion_files(small_set((28, 28)))
    files["train-labels-idx1-ubyte.gz"] = gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x63" + bytes(5))
    provide("fashion_mnist", files)
    with pytest.raises(DataUnavailable, match="announces"):
        fetch_fashion_mnist(n_train=5, n_test=5, stand_in=False)


@pytest.mark.parametrize(("dataset", "fetch", "files", "shape"), SETS)
def test_stand_ins_have_the_shape_of_the_real_set(dataset, fetch, files, shape):
    with pytest.warns(StandInNotice, match=dataset):
        found = fetch(n_train=400, n_test=300, stand_in=True)
    assert found.train_images.shape == (400, *shape) and found.test_images.shape == (300, *shape)
    assert found.train_images.dtype == np.uint8 and set(found.train_labels.tolist()) == set(range(10))
    with pytest.raises(ValueError, match="n_train must be at most"):
        fetch(n_train=10**6)


def test_digits_equal_an_independent_spline_interpolation():
    """One original at a known place and size, against scipy's interpolation of the same original."""
    image = load_digits().images[7] / 16
    coefficients, _ = digits._originals()
    centre, pixels_per_cell = np.array([12.9]), np.array([2.6])
    matrix = digits._spline_matrix(centre, pixels_per_cell)[0]
    ours = matrix @ coefficients[7] @ matrix.T
    cells = 3.5 + (np.arange(28) - 12.9) / 2.6
    inside = (cells >= 0) & (cells <= 7)
    rows, columns = np.meshgrid(cells[inside], cells[inside], indexing="ij")
    # scipy repeats the mirrored original outside; one cell from the border the two agree.
    reference = map_coordinates(image, [rows, columns], order=3, mode="mirror")
    well_inside = (cells[inside] > 1) & (cells[inside] < 6)
    difference = (ours[np.ix_(inside, inside)] - reference)[np.ix_(well_inside, well_inside)]
    assert np.abs(difference).max() < 1e-5


def test_digits_are_recognisable_from_other_originals():
    train, test = make_digits(3000, seed=1), make_digits(500, part="test", seed=2)
    neighbours = KNeighborsClassifier(3).fit(train.images.reshape(3000, -1), train.labels)
    assert neighbours.score(test.images.reshape(500, -1), test.labels) > 0.85


def test_digit_parts_share_no_original(monkeypatch):
    """With white originals in the training part and black ones in the test part, no image is mixed."""
    coefficients = np.zeros((1797, 8, 8), dtype=np.float32)
    coefficients[: digits.N_TRAINING_ORIGINALS] = 1.0
    monkeypatch.setattr(digits, "_originals", lambda: (coefficients, np.zeros(1797, dtype=int)))
    assert digits.sample(2000, part="training", seed=0)[0].max((1, 2)).min() == 255
    assert digits.sample(2000, part="test", seed=0)[0].max() == 0
    with pytest.raises(ValueError, match="part must be"):
        make_digits(3, part="validation")


def test_silhouettes_are_recognisable_and_symmetric_where_clothes_are():
    sample = make_silhouettes(3000, seed=3)
    assert np.bincount(sample.labels).tolist() == [300] * 10
    flat = sample.images.reshape(3000, -1).astype(float)
    assert KNeighborsClassifier(3).fit(flat[:2000], sample.labels[:2000]).score(flat[2000:], sample.labels[2000:]) > 0.9
    means = np.stack([sample.images[sample.labels == k].mean(0) for k in range(10)])
    asymmetry = np.abs(means - means[:, :, ::-1]).sum((1, 2)) / means.sum((1, 2))
    for name in ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Shirt", "Bag"):
        assert asymmetry[sample.class_names.index(name)] < 0.1, name
    for name in ("Sandal", "Sneaker", "Ankle boot"):
        assert asymmetry[sample.class_names.index(name)] > 0.15, name


def test_event_pictures_have_the_stated_noise_and_no_preferred_direction():
    sample = make_event_pictures(4000, seed=4)
    assert np.bincount(sample.labels).tolist() == [400] * 10
    # Far from every object only background and noise remain: corner pixels of straight tracks.
    tracks = sample.images[sample.labels == sample.class_names.index("straight track")]
    mean = sample.images.astype(float).mean((0, 3))
    assert tracks.shape[1:] == (32, 32, 3)
    for turned in (mean[::-1], mean[:, ::-1], mean.T):
        # 4000 pictures x 3 colours: noise of the mean 0.6, objects somewhat more.
        assert np.abs(turned - mean).mean() < 2.5


def test_event_shapes_are_where_their_formula_says():
    """Noise-free shapes on a fine grid: radius of the ring, curvature of the track, opening of the vee."""
    axis = np.linspace(-1, 1, 801)
    x, y = np.meshgrid(axis, axis)
    ring = event_pictures._sharp_ring(x, y, 0.0, 0.0)
    radius = np.hypot(x, y)
    assert abs(np.average(radius, weights=ring / radius.clip(1e-3)) - 0.5) < 0.01
    straight = event_pictures._straight_track(x, y, 0.0, 0.0)
    assert abs(np.sqrt(np.average(y**2, weights=straight)) - 0.07) < 0.002
    kink = event_pictures._kink(x, y, 0.0, 1.0)
    slope_right = np.polyfit(*[v[(kink > 0.8) & (x > 0.1)] for v in (x, y)], 1)[0]
    slope_left = np.polyfit(*[v[(kink > 0.8) & (x < -0.1)] for v in (x, y)], 1)[0]
    assert abs(slope_right - 0.6) < 0.02 and abs(slope_left) < 0.02
    spiral = event_pictures._spiral_galaxy(x, y, 0.0, 1.0)
    assert np.allclose(spiral, spiral[::-1, ::-1])  # two arms: half a turn changes nothing


def test_event_noise_is_the_stated_one():
    images, _ = event_pictures.sample(2000, seed=5)
    quiet, _ = event_pictures.sample(2000, noise=0.0, seed=5)
    # Only pixels that stay clear of clipping at 0 and 255.
    middle = (quiet > 110) & (quiet < 145)
    spread = (images.astype(float) - quiet)[middle].std()
    assert middle.sum() > 1000 and 0.85 * 255 * 0.22 < spread < 255 * 0.22
