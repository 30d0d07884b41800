"""What nearly every graded notebook imports: the gate's fork server loads it once, each notebook inherits it.

Importing is all that may happen here. A process that has run a TensorFlow operation has worker threads, and a
child forked from it hangs in its first fit.
"""

import os
import time

# All are read at import, so a notebook's first cell comes too late for them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras  # noqa: F401
import numpy as np  # noqa: F401
import tensorflow as tf  # noqa: F401

#: CPU seconds from the start of the process to here: what each notebook would have paid alone.
IMPORT_CPU_S = time.process_time()
