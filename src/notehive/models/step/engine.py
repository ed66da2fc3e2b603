"""papermill's engine for steps: a kernel that runs already, and a line of log for each cell."""

import logging
import signal
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError, strip_color
from papermill.execute import execute_notebook

from notehive.models.step import memory
from notehive.models.step.failure import Failed, Stopped
from notehive.models.step.kept import Kept
from notehive.models.step.kernel import Kernel
from notehive.models.step.log import Log
from notehive.models.step.tracking import RUN_ID

NAME = "notehive"
SAVE_SECONDS = 5.0  # at most so often; papermill would write the notebook twice a cell
LONGEST = 400  # characters of an error in the reason
LATE_SECONDS = 120  # so long may output arrive after its cell has ended


class Saving(NotebookExecutionManager):
    """Papermill's keeper of the notebook. It writes now and then, and whole files only."""

    last_save_time: datetime

    def save(self, *, now: bool = False, **_: Any) -> None:
        """Write the notebook, unless it was written just before."""
        if now or (self.now() - self.last_save_time).total_seconds() >= SAVE_SECONDS:
            part = Path(f"{self.output_path}.part")
            nbformat.write(self.nb, part)
            part.replace(self.output_path)
            self.last_save_time = self.now()


class Client(PapermillNotebookClient):
    """Runs the cells. What ends a cell early becomes an error output of it, whatever it was."""

    def __init__(self, saving: Saving, kernel: Kernel, log: Log) -> None:
        super().__init__(saving, km=kernel.manager, iopub_timeout=LATE_SECONDS, record_timing=False)
        self.kernel, self.lines, self.kept = kernel, log, Kept()
        self.number = 0  # of the code cell, from 1, as in Lab when all cells are run
        self.total = sum(map(is_run, self.nb.cells))
        self.before = before_each_cell(self.nb, kernel.variables)

    def execute(self, **_: Any) -> NotebookNode:
        """Run all cells up to the first that fails; give the notebook."""
        self.kc, about = run_sync(self.kernel.client)()
        self.nb.metadata["language_info"] = about["language_info"]
        self.papermill_execute_cells()
        self.set_widgets_metadata()
        return self.nb

    def papermill_execute_cells(self) -> None:
        """Run the cells, as papermill does."""
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self._run(cell, index)
            except CellExecutionError:
                self._fail(cell, index)
                break
            except DeadKernelError:
                self._fail(cell, index, "KernelDied", self._why_dead())
                break
            except Stopped as stop:
                self._fail(cell, index, "Stopped", str(stop))
                raise Stopped(f"cell {self.number}: {stop}") from None
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)

    def _run(self, cell: NotebookNode, index: int) -> None:
        self.kept, started = Kept(), time.monotonic()
        # Not counted, so that [7] is the same cell as in Lab.
        injected = "injected-parameters" in cell.metadata.tags
        counted = is_run(cell)
        self.number += counted
        if self.before and self.kc:
            self.kc.execute(self.before, silent=True, store_history=False)
        try:
            self.execute_cell(cell, index, store_history=not injected)
        finally:
            if notice := self.kept.notice():
                cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=notice))
                self.lines.pass_on(notice)
        if injected:
            cell.execution_count = None
        if counted:
            seconds = time.monotonic() - started
            self.lines.say(f"cell {self.number} of {self.total}: {seconds:.1f} s")

    def _fail(self, cell: NotebookNode, index: int, name: str = "", reason: str = "") -> None:
        if name:
            error = {"ename": name, "evalue": reason, "traceback": [f"{name}: {reason}"]}
            cell.outputs.append(nbformat.v4.new_output("error", **error))
        cell.execution_count = cell.execution_count or self.number
        for output in cell.outputs:
            if output.output_type == "error":
                self.lines.say(strip_color("\n".join(output.traceback)))
        self.nb_man.cell_exception(cell, cell_index=index)

    def _why_dead(self) -> str:
        why = memory.reached() if self.kernel.process.poll() == -signal.SIGKILL else ""
        return why or f"the kernel ended with {self.kernel.ending()}"

    def output(self, outs: list[NotebookNode], *arguments: Any) -> NotebookNode | None:
        """Take an output of a cell, as far as it is kept."""
        output = super().output(outs, *arguments)
        if output:
            self.kept.cut(outs)
            self._show(output)
        return output

    def _show(self, output: NotebookNode) -> None:
        if output.output_type == "stream":
            self.lines.pass_on(output.text)
        elif output.output_type != "error" and "text/plain" in output.data:
            self.lines.say("".join(output.data["text/plain"]))


class Engine(NBClientEngine):
    """What papermill asks to run a notebook."""

    @classmethod
    def execute_notebook(
        cls, nb: NotebookNode, kernel_name: str, *, kernel: Kernel, log: Log, **options: Any
    ) -> NotebookNode:
        """Run a notebook in a kernel; write it to ``output_path`` whatever happens."""
        saving = Saving(nb, output_path=options["output_path"], progress_bar=False)
        saving.notebook_start()
        try:
            Client(saving, kernel, log).execute()
        finally:
            saving.notebook_complete()
            saving.save(now=True)
        return nb


papermill_engines.register(NAME, Engine)


def execute(source: Path, kept: Path, values: Mapping[str, Any], kernel: Kernel, log: Log) -> None:
    """Run a notebook with these parameters; raise Failed with cell and error if one fails."""
    # It warns of parameters that are another notebook's.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        execute_notebook(
            source, kept, values, engine_name=NAME, progress_bar=False, kernel=kernel, log=log
        )
    except PapermillExecutionError as error:
        text = next(iter(str(error.evalue).strip().splitlines()), "")[:LONGEST]
        raise Failed(f"cell {error.exec_count}: {error.ename}: {text}") from None


def before_each_cell(notebook: NotebookNode, variables: Mapping[str, str]) -> str:
    """Give what is run unseen before each cell.

    MLflow's client forgets the run that it resumed once autolog has closed it, so that what a
    later cell logs would be a run of its own. Not so if the notebook never opens a run itself.
    """
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    if RUN_ID not in variables or "mlflow" not in code or "start_run" in code:
        return ""
    # Without a name of its own: the notebook may have an `os`.
    return f"__import__('os').environ[{RUN_ID!r}] = {variables[RUN_ID]!r}"


def is_run(cell: NotebookNode) -> bool:
    """Whether a cell is one of those that people count: code of the notebook's own."""
    tags = cell.metadata.get("tags", [])
    return (
        cell.cell_type == "code"
        and bool(cell.source.strip())
        and not {"skip-execution", "injected-parameters"} & set(tags)
    )
