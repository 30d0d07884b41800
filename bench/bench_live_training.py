"""What the live training monitor costs: main-thread time against its peers, and bytes on the wire.

Runs in a real kernel (nbclient) that believes in a front end. Each sample is three trainings back to back,
plain - peer - plain, and compares the peer with the mean of its neighbours, so that a busy machine disturbs
both alike. Single digits of percent are within the noise of such ratios; "direct" is the time spent inside
the updates themselves, which has no such noise.

    python bench/bench_live_training.py [--rounds 3] [--epochs 2]
"""

import argparse
import os

import nbclient
import nbformat

TARGET_PERCENT = 2.0
TARGET_BYTES = 1_000_000

SET_UP = """
import gc, json, random, statistics, time
import keras, numpy as np
from ipykernel.comm.comm import BaseComm
from course_lib.training import LiveTraining, monitor

keras.utils.set_random_seed(1)
generator = np.random.default_rng(1)
x = generator.normal(size=(60_000, 20)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")
model = keras.Sequential([keras.Input((20,)), *[keras.layers.Dense(64, "relu") for _ in "12"], keras.layers.Dense(1)])
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
weights = model.get_weights()

traffic = {"messages": 0, "bytes": 0}
publish = BaseComm.publish_msg
def counted(self, msg_type, data=None, metadata=None, buffers=None, **keys):
    traffic["messages"] += 1
    traffic["bytes"] += len(json.dumps([data, metadata], default=str)) + sum(len(part) for part in buffers or [])
    return publish(self, msg_type, data=data, metadata=metadata, buffers=buffers, **keys)
BaseComm.publish_msg = counted

direct = {"updates": 0, "seconds": 0.0, "end": 0.0}
update = monitor.Monitor.update
def timed(self, state):
    start = time.thread_time()
    update(self, state)
    direct["updates"] += 1
    direct["seconds"] += time.thread_time() - start
monitor.Monitor.update = timed
finish = LiveTraining._finish
def timed_finish(self, outcome):
    start = time.thread_time()
    finish(self, outcome)
    direct["end"] += time.thread_time() - start
LiveTraining._finish = timed_finish

class Bar(keras.callbacks.Callback):
    # What TqdmCallback does: a bar of the notebook, moved at every batch.
    def on_epoch_begin(self, epoch, logs=None):
        from tqdm.notebook import tqdm
        self.bar = tqdm(total=self.params["steps"])
    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(1)
    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix(logs)
        self.bar.close()

PEERS = {
    "LiveTraining": lambda: {"verbose": 0, "callbacks": [LiveTraining(title="bench")]},
    "verbose=1": lambda: {"verbose": 1},
}
try:
    import tqdm
    PEERS["tqdm notebook bar"] = lambda: {"verbose": 0, "callbacks": [Bar()]}
except ImportError:
    pass

def seconds(options, epochs):
    model.set_weights(weights)
    keras.utils.set_random_seed(1)
    gc.collect()
    cpu, wall = time.thread_time(), time.perf_counter()
    model.fit(x, y, epochs=epochs, batch_size=128, validation_split=0.1, **options)
    return time.thread_time() - cpu, time.perf_counter() - wall

# Builds the graph and imports what each peer needs, once in a kernel.
for make in PEERS.values():
    seconds(make(), 1)
"""

COMPARE = """
samples = {name: [] for name in PEERS}
for _ in range(ROUNDS):
    for name in random.sample(list(PEERS), len(PEERS)):
        plain = [seconds({"verbose": 0}, EPOCHS)]
        before = dict(direct)
        peer = seconds(PEERS[name](), EPOCHS)
        inside = {key: direct[key] - before[key] for key in direct}
        plain.append(seconds({"verbose": 0}, EPOCHS))
        cpu, wall = (sum(parts) / 2 for parts in zip(*plain))
        ratios = peer[0] / cpu, peer[1] / wall, inside["seconds"] / cpu
        samples[name].append((*ratios, inside["updates"], inside["end"], cpu))
"""

REPORT = """
print(json.dumps({name: [statistics.median(column) for column in zip(*rows)] for name, rows in samples.items()}))
"""

WIRE = """
traffic.update(messages=0, bytes=0)
model.fit(x[:20_000], y[:20_000], epochs=1, batch_size=2, verbose=0, callbacks=[LiveTraining()])
"""

WIRE_REPORT = "print(json.dumps(traffic))"


def run_in_kernel(sources):
    """Run cells in a kernel with a front end; return what each printed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    environment = os.environ | {"COURSE_FRONT_END": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    nbclient.NotebookClient(notebook, timeout=1800, kernel_name="python3").execute(env=environment)
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


def main():
    import json

    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--epochs", type=int, default=2)
    options = arguments.parse_args()
    sizes = f"ROUNDS, EPOCHS = {options.rounds}, {options.epochs}\n"
    # Separate cells: progress bars share the output of the cell that they run in.
    printed = run_in_kernel([SET_UP, sizes + COMPARE, REPORT, WIRE, WIRE_REPORT])
    table, traffic = json.loads(printed[2]), json.loads(printed[4])

    print(f"Dense network, 54 000 x 20, batch 128, {options.epochs} epochs; medians of {options.rounds} samples\n")
    print(f"{'':20} {'main-thread CPU':>16} {'wall':>8} {'direct':>8} {'updates':>8}")
    for name, (cpu, wall, inside, updates, *_) in sorted(table.items(), key=lambda row: row[1][0]):
        shown = f"{100 * inside:7.2f}%" if updates else f"{'':8}"
        print(f"{name:20} {100 * (cpu - 1):+15.1f}% {100 * (wall - 1):+7.1f}% {shown} {updates:8.0f}")
    print(f"\nplain: {table['LiveTraining'][5]:.2f} s of main-thread CPU")
    print(f"static figure at the end: {table['LiveTraining'][4]:.3f} s, once a training, part of LiveTraining's row")
    print(f"10 000 batches: {traffic['bytes']:,} bytes in {traffic['messages']} messages")
    direct_percent = 100 * table["LiveTraining"][2]
    for met, words in (
        (
            direct_percent <= TARGET_PERCENT,
            f"updates take {direct_percent:.2f}% of main-thread CPU (at most {TARGET_PERCENT}%)",
        ),
        (traffic["bytes"] <= TARGET_BYTES, f"{traffic['bytes']:,} bytes for 10 000 batches (at most {TARGET_BYTES:,})"),
    ):
        print(f"{'met   ' if met else 'MISSED'} {words}")


if __name__ == "__main__":
    main()
