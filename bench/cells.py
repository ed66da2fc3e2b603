"""Small model projects for the benchmarks of the model factory."""

from tests.support.projects import cell, notebook

CELLS = 21
MODEL = """\
name: {name}
image: base
size: small
pipelines:
  plain:
    tracking: off
    steps: [work.ipynb]
  tracked:
    steps: [work.ipynb]
"""
PARAMETERS = cell("run_dir = '.'\nrows = 1000", "parameters")


def work() -> str:
    """Give a notebook whose cells have next to nothing to do: what it costs is its running."""
    sums = [
        cell(f"table{n} = [row * {n} for row in range(rows)]\nprint(sum(table{n}))")
        for n in range(1, CELLS)
    ]
    return notebook(PARAMETERS, *sums)


def wait(seconds: int) -> str:
    """Give a notebook that only waits."""
    return notebook(PARAMETERS, cell(f"import time\ntime.sleep({seconds})"))


def project(name: str) -> dict[str, str]:
    """Give the files of a model whose pipelines run the notebook, tracked in MLflow and not."""
    return {"model.yml": MODEL.format(name=name), "work.ipynb": work()}
