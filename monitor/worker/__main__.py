"""``python -m monitor.worker``: one source watched by this process."""

import os
import sys

from monitor.worker.filter import main

status = main()
sys.stderr.flush()
os._exit(status)  # past interpreter shutdown: daemon threads may sit in native code
