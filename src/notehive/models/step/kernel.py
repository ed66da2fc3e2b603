"""The kernel's process: started early, spoken to as soon as it hears, and gone at the end."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_path, jupyter_runtime_dir
from jupyter_core.utils import run_sync

from notehive.models.step.failure import Failed, Stopped

START_SECONDS = 60
END_SECONDS = 30  # of atexit hooks: MLflow's sends what is not yet sent
STOP_SECONDS = 3  # of the same, if the step is told to end: soon it will be made to
# A kernel of IPython that is asked by a message may wait 20 s for a thread that has ended already
# to send its output.
LEAVE = "(loop := get_ipython().kernel.io_loop).add_callback(loop.stop)"
KILLED_FIRST = "500"  # at the memory limit; the step lives on and says what happened


class Kernel:
    """A kernel that has been started, and may not hear yet."""

    def __init__(self, name: str, folder: Path, variables: Mapping[str, str]) -> None:
        """Start the kernel ``name`` in a folder; raise Failed if the image has none of this name.

        ``variables`` are added to the environment.
        """
        self.variables = variables
        self._client: Any = None
        # Sockets of this container rather than ports: nobody else can speak to the kernel.
        sockets = Path(jupyter_runtime_dir()) / f"step-{os.getpid()}"
        self.manager = AsyncKernelManager(
            kernel_name=name,
            transport="ipc",
            ip=str(sockets),
            # Where kernels are by default, but for a place of old that IPython is imported to know.
            kernel_spec_manager=KernelSpecManager(kernel_dirs=jupyter_path("kernels")),
        )
        # A socket that is refused tries again after this many milliseconds, rather than 100.
        self.manager.context.setsockopt(zmq.RECONNECT_IVL, 5)
        # What a cell shows quickly one after the other is not dropped on its way.
        self.manager.context.setsockopt(zmq.RCVHWM, 0)
        try:
            run_sync(self.manager.start_kernel)(
                # No two kernels share a history, and nobody reads it.
                extra_arguments=["--HistoryManager.hist_file=:memory:"],
                cwd=str(folder),
                env={**os.environ, **variables},
            )
        except NoSuchKernel:
            raise Failed(f"kernel {name}: is not in the image") from None
        self.process = self.manager.provisioner.process
        with suppress(OSError):
            Path(f"/proc/{self.process.pid}/oom_score_adj").write_text(KILLED_FIRST)

    async def client(self) -> tuple[Any, dict[str, Any]]:
        """Give a client that is heard and hears, and what the kernel says of itself.

        Raise Failed if the kernel does not answer.
        """
        self._client = client = self.manager.client()
        client.start_channels(stdin=False, hb=False)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        client.kernel_info()
        reply: dict[str, Any] | None = None
        while reply is None or await _message(client.iopub_channel) is None:
            if reply is not None:  # nothing was heard on the other channel: have it say more
                client.kernel_info()
            reply = await _message(client.shell_channel) or reply
            if self.process.poll() is not None:
                raise Failed(f"kernel: ended at its start, with {self.ending()}")
            if loop.time() > deadline:
                raise Failed(f"kernel: did not answer within {START_SECONDS} s")
        return client, reply["content"]

    def ending(self) -> str:
        """Give how the process ended, as people say it."""
        code = self.process.poll()
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the process: it may finish what it does at its exit, for a while."""
        stopped = kind is not None and issubclass(kind, Stopped)
        if self.process.poll() is None:
            run_sync(self._ask_to_end)(interrupt=stopped)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._client:
            self._client.stop_channels()
        run_sync(self.manager.cleanup_resources)()

    async def _ask_to_end(self, *, interrupt: bool) -> None:
        """Ask the kernel to end, and wait for it, which jupyter_client would do in steps."""
        ended = asyncio.Event()
        descriptor = os.pidfd_open(self.process.pid)
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, ended.set)
        try:
            if interrupt:
                await self.manager.interrupt_kernel()  # it does not listen while a cell runs
            if interrupt or self._client is None or not self.manager.ipykernel:
                await self.manager.request_shutdown()
            else:
                self._client.execute(LEAVE, silent=True, store_history=False)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), STOP_SECONDS if interrupt else END_SECONDS)
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


async def _message(channel: Any) -> dict[str, Any] | None:
    """Give the next message of a channel; nothing if none comes for a moment."""
    try:
        message: dict[str, Any] = await channel.get_msg(timeout=0.2)
    except Empty:
        return None
    return message
