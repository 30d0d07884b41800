"""Starts one more thread when a file appears: from then on forks of its process may hang."""

import os
import threading
import time
from pathlib import Path


def start_when_told():
    signal = Path(os.environ["COURSE_TEST_SIGNAL"])
    while not signal.exists():
        time.sleep(0.01)
    signal.unlink()
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    signal.with_suffix(".done").touch()
    time.sleep(3600)


if "COURSE_TEST_SIGNAL" in os.environ:  # whoever only collects doctests is left alone
    threading.Thread(target=start_when_told, daemon=True).start()
