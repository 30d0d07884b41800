"""What the tests of the warm server run in forked processes."""

import json
import os
import socket
import threading
import time


def tell(descriptors, outcome):
    with os.fdopen(descriptors["out"], "w") as out:
        json.dump(outcome, out)


def echo(arguments, descriptors):
    print("to standard output", flush=True)
    tell(
        descriptors,
        {
            "arguments": arguments,
            "names": sorted(descriptors),
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "descriptors": sorted(map(int, os.listdir("/proc/self/fd"))),
            "session": os.getsid(0) == os.getpid(),
        },
    )


def draw(arguments, descriptors):
    import random
    import uuid

    import numpy as np

    old = float(np.random.random())  # noqa: NPY002  (notebooks still use the global generator)
    tell(descriptors, [old, random.random(), str(uuid.uuid4())])


def fit(arguments, descriptors):
    """A first TensorFlow operation and a small fit: what hangs in a process that was forked too late."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd", jit_compile=False)
    x = np.linspace(-1, 1, 64).reshape(-1, 1)
    history = model.fit(x, x**2, epochs=2, batch_size=64, verbose=0)
    tell(descriptors, history.history["loss"])


def ask_the_server(arguments, descriptors):
    """A forked process asks for another one, without isolation."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(arguments["address"])
        try:
            connection.sendall(b'{"entry": "builtins:print", "arguments": {}}\n')
            answer = connection.recv(1000).decode()
        except OSError:
            answer = ""
    tell(descriptors, answer)


def wait_for_signal(arguments, descriptors):
    tell(descriptors, "ready")
    threading.Event().wait(600)


def grow_and_wait(arguments, descriptors):
    """Take memory for a moment, compute for a while, and then do nothing."""
    taken = b"x" * (arguments["megabytes"] * 1_000_000)
    del taken
    while time.process_time() < arguments["cpu_s"]:
        pass
    tell(descriptors, time.process_time())
    threading.Event().wait(600)


def simulate(arguments, descriptors):
    """Use the Ising simulator as it comes, and with an array for which nothing is compiled."""
    from course_lib.simulators import ising

    ready = len(ising._swendsen_wang.signatures), len(ising._cluster_labels.signatures)
    spins = ising.sample(3, 2.5, size=8, seed=1)
    sizes = ising.cluster_sizes(spins[::2, ::-1, ::-1])
    tell(descriptors, [ready, spins.sum().item(), [one.tolist() for one in sizes]])


def fail(arguments, descriptors):
    raise RuntimeError("as planned")
