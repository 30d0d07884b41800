"""Attributions: course_lib.introspection against a public package and plainly written loops, same model, same run.

    python bench/bench_introspection.py [--rounds 3] [--no-peer]

Saliency, Grad-CAM and integrated gradients (50 steps) of 64 images of 28 x 28 through a network of three
convolutions; occlusion of 8 images of 32 x 32 with patches of 5 x 5, stride 1. The peer of the first two is
tf-keras-vis, installed into _build/peers, never into the course's environment. No public package that runs on today's
Keras without further packages gives integrated gradients or occlusion; their peer is the loop that tutorials print: one
step, or one patch, after the other, all images at once, as it stands and with the network compiled by tf.function.
Results are compared before times are. CPU time of all threads; ours and the peer take turns, so that other work on the
machine disturbs both alike.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported

import keras
import numpy as np
import tensorflow as tf

from course_lib import introspection

PEER = "tf-keras-vis==0.8.7"
PEERS = Path(__file__).resolve().parent.parent / "_build" / "peers"

N_IMAGES, N_STEPS = 64, 50
N_OCCLUDED, PATCH = 8, 5


class CountingLayer(keras.layers.Layer):
    """Passes everything on; counts how often its Python code runs, which compiled functions do only when traced."""

    n_calls = 0

    def call(self, values):
        CountingLayer.n_calls += 1
        return values


def network(side):
    layers = keras.layers
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            layers.Input((side, side, 1)),
            CountingLayer(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu", name="last_maps"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def find_peer(allowed):
    """Return (saliency, grad_cam) of tf-keras-vis as functions (model, images, targets), or a reason for None."""
    if not allowed:
        return None, "not wanted (--no-peer)"
    if not importlib.util.find_spec("tf_keras_vis") and not (PEERS / "tf_keras_vis").is_dir():
        # Without its dependencies: they would bring a second TensorFlow; these two are what is really missing.
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", PEERS]
        try:
            subprocess.run([*command, PEER, "deprecated", "wrapt"], check=True, timeout=300, capture_output=True)
        except (subprocess.SubprocessError, OSError) as error:
            return None, f"could not be installed here ({type(error).__name__})"
    # Behind everything else: what the course's environment has is taken from there.
    sys.path.append(str(PEERS))
    try:
        from tf_keras_vis.gradcam import Gradcam
        from tf_keras_vis.saliency import Saliency
        from tf_keras_vis.utils.scores import CategoricalScore
    except ImportError as error:
        return None, f"does not import here ({error})"

    def saliency(model, images, targets):
        score = CategoricalScore(targets.tolist())
        return np.abs(np.asarray(Saliency(model, clone=False)(score, images, normalize_map=False, keepdims=True)))

    def grad_cam(model, images, targets):
        score = CategoricalScore(targets.tolist())
        explainer = Gradcam(model, clone=False)
        return np.asarray(
            explainer(score, images, penultimate_layer="last_maps", normalize_cam=False, expand_cam=False)
        )

    return (saliency, grad_cam), None


def predict_with(model):
    return lambda images: model(images, training=False)


def gradient_with(model):
    def gradient(points, targets):
        with tf.GradientTape() as tape:
            tape.watch(points)
            chosen = tf.gather(model(points, training=False), targets, axis=1, batch_dims=1)
        return tape.gradient(chosen, points)

    return gradient


def as_peer(loop, function):
    """Return the loop over an own function of the model in the form of the other peers."""
    return lambda model, images, targets: loop(function, images, targets)


def loop_integrated_gradients(gradient, images, targets):
    """One step after the other, as tutorials write it; the baseline is zero, the points lie in the middle."""
    total = np.zeros_like(images)
    for step in range(N_STEPS):
        points = tf.constant(images * np.float32((step + 0.5) / N_STEPS))
        total += gradient(points, targets).numpy()
    return images * total / N_STEPS


def loop_occlusion(predict, images, targets):
    """One patch after the other; a pixel's value is the mean fall of the score over the patches that cover it."""
    rows = np.arange(len(images))
    whole = np.asarray(predict(images))[rows, targets]
    total, covered = np.zeros_like(images), np.zeros(images.shape[1:], dtype=np.float32)
    for row in range(images.shape[1] - PATCH + 1):
        for column in range(images.shape[2] - PATCH + 1):
            changed = images.copy()
            place = (slice(row, row + PATCH), slice(column, column + PATCH))
            changed[(slice(None), *place)] = 0
            fall = whole - np.asarray(predict(changed))[rows, targets]
            total[(slice(None), *place)] += fall[:, None, None, None]
            covered[place] += 1
    return total / covered


def ours_occlusion(model, images, targets):
    return introspection.occlusion(model, images, targets, patch_size=PATCH)


def ours_integrated_gradients(model, images, targets):
    return introspection.integrated_gradients(model, images, targets, n_steps=N_STEPS)


def ours_saliency(model, images, targets):
    return np.abs(introspection.saliency(model, images, targets))


def ours_grad_cam(model, images, targets):
    return introspection.grad_cam(model, images, targets, layer="last_maps", upsample=False)


def seconds(function, *arguments):
    cpu, wall = time.process_time(), time.perf_counter()
    function(*arguments)
    return time.process_time() - cpu, time.perf_counter() - wall


def compare(ours, peer, arguments, rounds):
    """Return medians (our CPU, our wall, peer's CPU, peer's wall), largest relative difference, and our traces."""
    before = CountingLayer.n_calls
    mine = ours(*arguments)
    first = CountingLayer.n_calls - before
    difference = None
    if peer:
        theirs = peer(*arguments)
        difference = float(np.abs(mine - theirs).max() / np.abs(theirs).max())
    samples, again = [], 0
    for _ in range(rounds):
        before = CountingLayer.n_calls
        row = seconds(ours, *arguments)
        again += CountingLayer.n_calls - before
        samples.append(row + (seconds(peer, *arguments) if peer else (float("nan"),) * 2))
    return [statistics.median(column) for column in zip(*samples, strict=True)], difference, first, again


def main():
    # Keras says at every call of the peer that a list of one input is no input; the result is the same.
    warnings.filterwarnings("ignore", message="The structure of `inputs`")
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--no-peer", action="store_true", help="skip the public package and its installation")
    options = arguments.parse_args()

    generator = np.random.default_rng(1)
    images = generator.random((N_IMAGES, 28, 28, 1), dtype=np.float32)
    larger = generator.random((N_OCCLUDED, 32, 32, 1), dtype=np.float32)
    targets = generator.integers(0, 10, N_IMAGES)
    small, large = network(28), network(32)
    public, reason = find_peer(not options.no_peer)
    peer_saliency, peer_grad_cam = public or (None, None)
    step, patch = gradient_with(small), predict_with(large)
    paths, patches = (small, images, targets), (large, larger, targets[:N_OCCLUDED])
    tasks = [
        ("saliency", "tf-keras-vis", ours_saliency, peer_saliency, paths),
        ("Grad-CAM", "tf-keras-vis", ours_grad_cam, peer_grad_cam, paths),
    ]
    for how, compile_or_not in (("", lambda function: function), (", compiled", tf.function)):
        own_step = as_peer(loop_integrated_gradients, compile_or_not(step))
        own_patch = as_peer(loop_occlusion, compile_or_not(patch))
        tasks.append(("integrated gradients", "loop, steps" + how, ours_integrated_gradients, own_step, paths))
        tasks.append(("occlusion", "loop, patches" + how, ours_occlusion, own_patch, patches))
    print(f"{N_IMAGES} images of 28 x 28; occlusion: {N_OCCLUDED} images of 32 x 32, patches of {PATCH} x {PATCH}")
    print(f"{'method':21s} {'ours CPU/s':>10} {'wall/s':>8}  {'peer':23s} {'CPU/s':>8} {'wall/s':>8}", end="")
    print(f" {'ratio':>7}  {'difference':>10}  traces: first call, later calls")
    for name, peer_name, ours, peer, data in tasks:
        (cpu, wall, peer_cpu, peer_wall), difference, first, again = compare(ours, peer, data, options.rounds)
        shown = "-" if difference is None else f"{difference:.0e}"
        print(f"{name:21s} {cpu:10.3f} {wall:8.3f}  {peer_name:23s} {peer_cpu:8.3f} {peer_wall:8.3f}", end="")
        print(f" {peer_cpu / cpu:6.1f}x  {shown:>10}  {first}, {again}")
        if difference is not None and difference > 1e-3:
            raise SystemExit(f"{name}: ours and {peer_name} differ by {difference:.1e}: the comparison is void.")
    if reason:
        print(f"{PEER}: {reason}")
    print("ratio: CPU time of the peer over ours; difference: largest one, in units of the peer's largest value.")


if __name__ == "__main__":
    main()
