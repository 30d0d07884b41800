"""What the live training monitor costs: main-thread time against its peers, bytes on the wire, memory of fifty runs.

Runs in a real kernel (nbclient) that believes in a front end. Each sample is three trainings back to back,
plain - peer - plain, and compares the peer with the mean of its neighbours, so that a busy machine disturbs
both alike. Single digits of percent are within the noise of such ratios; "direct" is the main-thread time spent inside
the monitor's own hooks (collecting each batch, updates), which has no such noise. The widget at the start and the
static figure at the end are counted by themselves: they come once, however long the training was.

Peers: Keras' progress bar, tqdm's TqdmCallback, livelossplot. livelossplot and matplotlib are no part of the course;
this program installs them into ``_build/peers/live_training``, where nothing else looks. What cannot be had is named
as absent.

    python bench/bench_live_training.py [--rounds 3] [--epochs 5]
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat

REPOSITORY = Path(__file__).resolve().parent.parent
PEERS = REPOSITORY / "_build" / "peers" / "live_training"
#: Without what they depend on: versions of the course win, and nothing of it is installed twice.
PACKAGES = ["livelossplot", "matplotlib", "contourpy", "cycler", "fonttools", "kiwisolver", "pyparsing", "pillow"]

TARGET_PERCENT = 2.0
TARGET_BYTES = 1_000_000
DRAWING = ("LiveTraining", "livelossplot", "tqdm TqdmCallback", "verbose=1")

SET_UP = """
import gc, json, random, statistics, sys, time
import keras, numpy as np
from ipykernel.comm.comm import BaseComm
from course_lib.training import LiveTraining, monitor
sys.path.append(PEERS)  # at the end: the packages of the course come first

keras.utils.set_random_seed(1)
generator = np.random.default_rng(1)

def dense():
    x = generator.normal(size=(60_000, 20)).astype("float32")
    layers = [keras.Input((20,)), *[keras.layers.Dense(64, "relu") for _ in "12"], keras.layers.Dense(1)]
    return x, keras.Sequential(layers), 128

def convolutional():
    x = generator.normal(size=(6_000, 28, 28, 1)).astype("float32")
    layers = [keras.Input((28, 28, 1)), keras.layers.Conv2D(16, 3, activation="relu"), keras.layers.MaxPooling2D(),
              keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.GlobalAveragePooling2D(),
              keras.layers.Dense(1)]
    return x, keras.Sequential(layers), 128

NETWORKS = {}
for name, make in (("dense", dense), ("convolutional", convolutional)):
    x, model, batch_size = make()
    y = (x.reshape(len(x), -1).sum(axis=1) > 0).astype("float32")
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    NETWORKS[name] = (model, x, y, batch_size, model.get_weights())

traffic = {"messages": 0, "bytes": 0}
publish = BaseComm.publish_msg
def counted(self, msg_type, data=None, metadata=None, buffers=None, **keys):
    traffic["messages"] += 1
    traffic["bytes"] += len(json.dumps([data, metadata], default=str)) + sum(len(part) for part in buffers or [])
    return publish(self, msg_type, data=data, metadata=metadata, buffers=buffers, **keys)
BaseComm.publish_msg = counted

direct = {"updates": 0, "seconds": 0.0, "once": 0.0}
update = monitor.Monitor.update
def counted_update(self, state):
    update(self, state)
    direct["updates"] += 1
monitor.Monitor.update = counted_update
def timed(hook, part):
    def run(self, *arguments, **named):
        start = time.thread_time()
        hook(self, *arguments, **named)
        direct[part] += time.thread_time() - start
    return run
for name in [name for name in vars(LiveTraining) if name.startswith("on_")]:
    part = "once" if name in ("on_train_begin", "on_train_end") else "seconds"
    setattr(LiveTraining, name, timed(getattr(LiveTraining, name), part))

VARIANTS = {
    "LiveTraining": lambda: {"verbose": 0, "callbacks": [LiveTraining(title="bench")]},
    "verbose=1": lambda: {"verbose": 1},
}
absent = []
try:
    from tqdm.keras import TqdmCallback
    VARIANTS["tqdm TqdmCallback"] = lambda: {"verbose": 0, "callbacks": [TqdmCallback(verbose=1)]}
except ImportError:
    absent.append("tqdm TqdmCallback")
try:
    from livelossplot import PlotLossesKeras
    VARIANTS["livelossplot"] = lambda: {"verbose": 0, "callbacks": [PlotLossesKeras()]}
except ImportError:
    absent.append("livelossplot")

def seconds(network, options, epochs):
    model, x, y, batch_size, weights = NETWORKS[network]
    model.set_weights(weights)
    keras.utils.set_random_seed(1)
    gc.collect()
    cpu, wall = time.thread_time(), time.perf_counter()
    model.fit(x, y, epochs=epochs, batch_size=batch_size, validation_split=0.1, **options)
    return time.thread_time() - cpu, time.perf_counter() - wall

# Builds the graphs and imports what each peer needs, once in a kernel.
for network in NETWORKS:
    for make in VARIANTS.values():
        seconds(network, make(), 1)
"""

COMPARE = """
samples = {(network, name): [] for network in NETWORKS for name in VARIANTS}
for _ in range(ROUNDS):
    for network, name in random.sample(list(samples), len(samples)):
        plain = [seconds(network, {"verbose": 0}, EPOCHS)]
        before = dict(direct)
        peer = seconds(network, VARIANTS[name](), EPOCHS)
        inside = {key: direct[key] - before[key] for key in direct}
        plain.append(seconds(network, {"verbose": 0}, EPOCHS))
        cpu, wall = (sum(parts) / 2 for parts in zip(*plain))
        ratios = peer[0] / cpu, peer[1] / wall, inside["seconds"] / cpu
        samples[network, name].append((*ratios, inside["updates"], inside["once"], cpu))
"""

REPORT = """
table = {network: {} for network in NETWORKS}
for (network, name), rows in samples.items():
    table[network][name] = [statistics.median(column) for column in zip(*rows)]
print(json.dumps([table, absent]))
"""

WIRE = """
model, x, y, *_ = NETWORKS["dense"]
traffic.update(messages=0, bytes=0)
model.fit(x[:20_000], y[:20_000], epochs=1, batch_size=2, verbose=0, callbacks=[LiveTraining()])
"""

WIRE_REPORT = "print(json.dumps(traffic))"

LOOK = """
from course_lib.training import inspect_layers
found = {}
for name, (model, x, y, *_) in NETWORKS.items():
    inspect_layers(model, x[:256], y[:256])  # traced once
    starts = [time.thread_time()]
    for _ in range(20):
        inspect_layers(model, x[:256], y[:256])
        starts.append(time.thread_time())
    found[name] = statistics.median(np.diff(starts))
print(json.dumps(found))
"""

# One cell, run fifty times, as a student does who changes a number and runs it again.
FIFTY = """
import os, psutil
def resident_megabytes():
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6
def run_cell():
    live = LiveTraining(title="again")
    model.fit(x[:2560], y[:2560], epochs=2, batch_size=128, verbose=0, callbacks=[live])
memory = []
for run in range(RUNS):
    run_cell()
    if run % 10 == 9:
        memory.append(resident_megabytes())
"""

FIFTY_REPORT = """
import threading
from ipywidgets.widgets import widget
gc.collect()
views = sum(type(each).__name__ == "LiveTrainingView" for each in widget._instances.values())
print(json.dumps([memory, views, sum("asyncio" in thread.name for thread in threading.enumerate())]))
"""


def install_peers():
    """Put the peers into a folder of their own, once; without a package index they stay absent."""
    if (PEERS / "livelossplot").is_dir():
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--target", str(PEERS), *PACKAGES], capture_output=True, text=True)
    if done.returncode:
        print(f"livelossplot could not be installed: {(done.stderr.splitlines() or ['no reason given'])[-1]}")


def run_in_kernel(sources):
    """Run cells in a kernel with a front end; return what each printed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    environment = os.environ | {"COURSE_FRONT_END": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    nbclient.NotebookClient(notebook, timeout=3600, kernel_name="python3").execute(env=environment)
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


def print_table(network, rows, options):
    """Print one network's rows, the cheapest first; return the direct share of LiveTraining in percent."""
    sizes = {"dense": "54 000 x 20", "convolutional": "5 400 x 28 x 28"}[network]
    words = f"{network} network, {sizes}, batch 128, {options.epochs} epochs; medians of {options.rounds} samples"
    print(f"\n{words}\n{'':20} {'main-thread CPU':>16} {'wall':>8} {'direct':>8} {'updates':>8}")
    for name, (cpu, wall, inside, updates, *_) in sorted(rows.items(), key=lambda row: row[1][0]):
        shown = f"{100 * inside:7.2f}%" if updates else f"{'':8}"
        print(f"{name:20} {100 * (cpu - 1):+15.1f}% {100 * (wall - 1):+7.1f}% {shown} {updates:8.0f}")
    mine = rows["LiveTraining"]
    print(f"plain: {mine[5]:.2f} s of main-thread CPU; widget and static figure: {mine[4]:.3f} s, once a training")
    return 100 * mine[2]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--epochs", type=int, default=5)
    arguments.add_argument("--runs", type=int, default=50, help="of one cell, for its memory")
    options = arguments.parse_args()
    install_peers()
    sizes = f"ROUNDS, EPOCHS, RUNS, PEERS = {options.rounds}, {options.epochs}, {options.runs}, {str(PEERS)!r}\n"
    # Separate cells: progress bars share the output of the cell that they run in.
    cells = [sizes + SET_UP, COMPARE, REPORT, WIRE, WIRE_REPORT, LOOK, FIFTY, FIFTY_REPORT]
    printed = run_in_kernel(cells)
    table, absent = json.loads(printed[2])
    traffic, looks, (memory, n_widgets, n_threads) = (json.loads(printed[cell]) for cell in (4, 5, 7))

    shares = {network: print_table(network, rows, options) for network, rows in table.items()}
    for name in absent:
        print(f"{name}: absent, so not compared")
    print(f"\n10 000 batches: {traffic['bytes']:,} bytes in {traffic['messages']} messages")
    for network, look_s in looks.items():
        print(f"one look into the layers of the {network} network: {1000 * look_s:.0f} ms, only when asked for")
    print(f"resident memory after every ten runs of a cell: {', '.join(f'{each:.0f}' for each in memory)} MB")
    print(f"widgets left: {n_widgets}, worker threads left: {n_threads}")
    smallest = {
        network: min((row[0], name) for name, row in rows.items() if name in DRAWING)[1]
        for network, rows in table.items()
    }
    worst = max(shares.values())
    for met, words in (
        (worst <= TARGET_PERCENT, f"the monitor takes {worst:.2f}% of main-thread CPU (at most {TARGET_PERCENT}%)"),
        (
            set(smallest.values()) == {"LiveTraining"},
            "smallest of the drawing ones: " + ", ".join(f"{name} ({network})" for network, name in smallest.items()),
        ),
        (traffic["bytes"] <= TARGET_BYTES, f"{traffic['bytes']:,} bytes for 10 000 batches (at most {TARGET_BYTES:,})"),
        (n_widgets == n_threads == 0, f"{n_widgets} widgets and {n_threads} threads left after {options.runs} runs"),
    ):
        print(f"{'met   ' if met else 'MISSED'} {words}")


if __name__ == "__main__":
    main()
