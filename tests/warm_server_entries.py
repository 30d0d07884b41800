"""What the tests of the warm server run in forked processes."""

import json
import os
import socket
import threading


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


def fail(arguments, descriptors):
    raise RuntimeError("as planned")
