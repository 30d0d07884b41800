"""What a warm kernel saves: a kernel in which TensorFlow is ready, forked and started.

    python bench/bench_warm_kernels.py [--kernels N]

Ready means: the first cell, which imports TensorFlow and Keras and runs one operation, has answered. The peer is
jupyter_client's own LocalProvisioner with the kernel python3. CPU seconds are those of the kernel's process from its
start to that answer; the one import of the warm server is printed apart. Memory is what a waiting kernel adds to the
machine: pages that only it has written to (private dirty), and its share of all pages (PSS).
"""

import argparse
import asyncio
import os
import statistics
import time
from pathlib import Path

import psutil
from jupyter_client.manager import AsyncKernelManager
from rich.console import Console
from rich.table import Table

from autograder.isolation import available
from autograder.warm_kernel import WarmProvisioner, announcement
from autograder.warm_server import WarmServer

READY = "import numpy, tensorflow, keras; keras.ops.ones(1); None"


def memory_mb(pid: int) -> tuple[float, float]:
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        fields[name] = int(value.split()[0]) * 1024 / 1e6
    return fields["Private_Dirty"], fields["Pss"]


async def one_kernel(kernel_name: str) -> dict[str, float]:
    start = time.monotonic()
    manager = AsyncKernelManager(kernel_name=kernel_name)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=300)
        reply = await client.execute_interactive(READY, output_hook=lambda message: None, timeout=300)
        assert reply["content"]["status"] == "ok", reply["content"]
        seconds = time.monotonic() - start
        times = psutil.Process(manager.provisioner.pid).cpu_times()
        private, share = memory_mb(manager.provisioner.pid)
        return {"wall / s": seconds, "CPU / s": times.user + times.system, "private / MB": private, "PSS / MB": share}
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def measure(kernel_name: str, n_kernels: int) -> dict[str, float]:
    runs = [asyncio.run(one_kernel(kernel_name)) for _ in range(n_kernels)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kernels", type=int, default=3, help="of each kind; the median is printed")
    n_kernels = parser.parse_args().kernels
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1"}
    cold = measure("python3", n_kernels)
    level = available().level
    with WarmServer("tensorflow") as server:
        start = time.monotonic()
        with server.fork("builtins:print", {}) as process:
            process.wait(600)
        import_s = time.monotonic() - start
        import_cpu_s = sum(psutil.Process(server.pid).cpu_times()[:2])
        os.environ |= announcement(server)
        warm = measure("course-warm", n_kernels)
        WarmProvisioner.isolation.default_value = str(level)
        isolated = measure("course-warm", n_kernels)
        WarmProvisioner.isolation.default_value = ""

    table = Table(title=f"A kernel with TensorFlow ready, median of {n_kernels}")
    for heading in ("", "started", "forked", f"forked, {level}", "started / forked"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in cold:
        ratio = f"{cold[name] / warm[name]:.1f}"
        table.add_row(name, f"{cold[name]:.2f}", f"{warm[name]:.2f}", f"{isolated[name]:.2f}", ratio)
    Console().print(table)
    print(f"The server's one import: {import_s:.1f} s, {import_cpu_s:.1f} CPU-s.")


if __name__ == "__main__":
    main()
