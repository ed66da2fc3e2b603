"""The notebooks that pipelines name: there, of a Python kernel, and open to parameters."""

import ast
from collections.abc import Iterator

from notehive.models import graph
from notehive.models.checks.notebook import Notebook
from notehive.models.checks.subject import Subject
from notehive.models.graph import Kind
from notehive.models.pipelines import Pipeline
from notehive.models.problem import Problem, key
from notehive.models.project import FILE
from notehive.typed_yaml.complaints import suggestion

KERNEL = "python3"  # the images have this one
CHOOSE = "open it in JupyterLab, choose the kernel Python 3 and save it"
TAG = "give the cell with the defaults the tag parameters (the gears at the right in JupyterLab)"


def check(subject: Subject) -> Iterator[Problem]:
    """Give the problems of the notebooks that pipelines run."""
    pipelines = subject.project.pipelines if subject.project else {}
    for name, pipeline in pipelines.items():
        yield from _there(subject, name, pipeline)
        run = [path for path in graph.notebooks(pipeline) if path in subject.notebooks]
        notebooks = [subject.notebooks[path] for path in dict.fromkeys(run)]
        for notebook in notebooks:
            yield from _kernel(notebook)
            yield from _cells_of_parameters(notebook, pipeline)
        if len(notebooks) == len(graph.notebooks(pipeline)):
            yield from _unknown(subject, name, pipeline, notebooks)


def _there(subject: Subject, name: str, pipeline: Pipeline) -> Iterator[Problem]:
    for index, step in enumerate(pipeline.steps):
        if graph.kind(step.run) is not Kind.NOTEBOOK or subject.is_there(step.run):
            continue
        place = key(("pipelines", name, "steps", index))
        if step.run in subject.escaping:
            yield Problem(FILE, place, f"{step.run} leads out of the project", "move it into it")
            continue
        there = [path for path in subject.paths if path.endswith(".ipynb")]
        remedy = suggestion(step.run, there) if there else "add it"
        yield Problem(FILE, place, f"there is no notebook {step.run} in the project", remedy)


def _kernel(notebook: Notebook) -> Iterator[Problem]:
    if not notebook.is_python:
        yield Problem(notebook.path, "", "is not of Python", CHOOSE)
    elif notebook.kernel != KERNEL:
        kernel = f"names the kernel {notebook.kernel}, which images lack"
        yield Problem(notebook.path, "", kernel if notebook.kernel else "names no kernel", CHOOSE)


def _cells_of_parameters(notebook: Notebook, pipeline: Pipeline) -> Iterator[Problem]:
    if (pipeline.parameters or pipeline.smoke) and not notebook.parameters:
        what = "has no cell for the parameters that its pipeline gives"
        yield Problem(notebook.path, "", what, TAG)
    for cell in notebook.parameters[1:]:
        what = f"has the tag parameters, as {notebook.parameters[0].place} has"
        yield Problem(notebook.path, cell.place, what, "remove one of the tags")


def _unknown(
    subject: Subject, name: str, pipeline: Pipeline, notebooks: list[Notebook]
) -> Iterator[Problem]:
    """Parameters that no notebook of the pipeline has: a mistyped one would change nothing."""
    cells = {(each.path, cell.place) for each in notebooks for cell in each.parameters}
    known = {
        node.id
        for piece in subject.pieces
        if (piece.path, piece.cell) in cells
        for node in piece.nodes()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for section in ("parameters", "smoke"):
        for parameter in getattr(pipeline, section):
            if known and parameter not in known:
                place = key(("pipelines", name, section, parameter))
                what = f"no notebook of the pipeline has {parameter} in its cell of parameters"
                yield Problem(FILE, place, what, suggestion(parameter, sorted(known)))
