"""Tries a notebook image, which has no project: JupyterLab answers, and a kernel does."""

import os
import subprocess
import time
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError
from urllib.request import urlopen

from jupyter_core.utils import run_sync

from notehive.models.step import running
from notehive.models.step.failure import Failed
from notehive.models.step.kernel import Kernel
from notehive.models.step.log import Log

COMMAND = ("start-notebook", "--log-level=WARN")
URL = "http://127.0.0.1:8888/api"
START_SECONDS = 60.0


def smoke(log: Log) -> None:
    """Start both; raise Failed for the one that does not come up."""
    log.say("JupyterLab")
    with subprocess.Popen(COMMAND) as lab:
        try:
            _await(lab)
        finally:
            lab.terminate()
    log.say("the kernel python3")
    with Kernel("python3", Path.home(), {}) as kernel:
        run_sync(kernel.client)()


def _await(lab: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers():
        if lab.poll() is not None:
            raise Failed(f"JupyterLab: ended at its start, with exit code {lab.returncode}")
        if time.monotonic() > deadline:
            raise Failed(f"JupyterLab: did not answer within {START_SECONDS:.0f} s")
        time.sleep(0.1)


def _answers() -> bool:
    try:
        with urlopen(URL, timeout=START_SECONDS) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (URLError, OSError):
        return False


def main() -> NoReturn:
    """Try the image."""
    os.dup2(1, 2)  # one stream: nothing may come after the last line
    log = Log()
    running.leave(running.reason(lambda: smoke(log)), log)


if __name__ == "__main__":
    main()
