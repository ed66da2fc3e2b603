"""`check`: what keeps a project from being released, named with file, place and remedy."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from notehive.models.checks import Known, check, imports, resolution
from notehive.models.new import make
from tests.support.projects import (
    GOOD,
    MODEL,
    PARAMETERS,
    cell,
    notebook,
    printed,
    write,
)

# Put together here, so that nobody takes this file for one with secrets.
AWS = "AKIA" + "Q3EGRZ7ZKLWJ5TBN"
GITHUB = "ghp_" + "w3rT5yU8iO0pA2sD4fG6hJ8kL1zX3cV5bN7m"
OPENED = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJhbmEifQ" + ".c2lnbmF0dXJlLW9mLWFuYQ"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----"
TRAIN = "train.ipynb"


def with_cell(source: str, outputs: Any = (), kind: str = "code") -> dict[str, str]:
    return {TRAIN: notebook(PARAMETERS, cell(source, outputs=outputs, kind=kind))}


def model(before: str, after: str) -> dict[str, str]:
    assert before in MODEL
    return {"model.yml": MODEL.replace(before, after)}


# What is changed in a good project: the file, the place, what is said of it, a word of the remedy.
BAD: dict[str, tuple[Mapping[str, str | bytes], str, str, str, str]] = {
    # model.yml
    "no model.yml": ({"model.yml": b"\xff"}, "model.yml", "", "is not UTF-8", "save"),
    "broken YAML": ({"model.yml": "name: [\n"}, "model.yml", "line 2", "not YAML", "quotes"),
    "a key twice": (model("size: small", "size: a\nsize: b"), "model.yml", "size", "twice", "keep"),
    "a key misspelt": (model("size:", "sice:"), "model.yml", "sice", "unknown key", "size?"),
    "a bad name": (model("churn", "Churn!"), "model.yml", "name", "no name", "lower-case"),
    "cron nonsense": (
        model("    steps", "    schedule: '99 99 * * *'\n    steps"),
        *("model.yml", "pipelines.train.schedule", "no schedule of cron", "minute, hour"),
    ),
    "a day that never comes": (
        model("    steps", "    schedule: '0 0 30 2 *'\n    steps"),
        *("model.yml", "pipelines.train.schedule", "never comes", "correct the day"),
    ),
    "a step that needs itself": (
        model("train.ipynb]", "{run: train.ipynb, needs: [train.ipynb]}]"),
        *("model.yml", "pipelines.train.steps[1].needs[0]", "the step itself", "another"),
    ),
    "a step that is missing": (
        model("train.ipynb]", "{run: train.ipynb, needs: [prepar.ipynb]}]"),
        *("model.yml", "pipelines.train.steps[1].needs[0]", "no step prepar", "prepare.ipynb?"),
    ),
    "a circle of steps": (
        model("[prepare.ipynb", "[{run: prepare.ipynb, needs: [train.ipynb]}"),
        *("model.yml", "pipelines.train.steps", "wait for each other", "needs:"),
    ),
    "a name twice": (
        {**model("train.ipynb]", "old/prepare.ipynb]"), "old/prepare.ipynb": GOOD[TRAIN]},
        *("model.yml", "pipelines.train.steps[1]", "of steps[0] too", "rename"),
    ),
    "a built-in without its section": (
        model("train.ipynb]", "promote]"),
        *("model.yml", "pipelines.train.steps[1]", "section promote", "add promote:"),
    ),
    "pipelines in a circle": (
        model("  train:", "  a: {after: train, steps: [train.ipynb]}\n  train:\n    after: a"),
        *("model.yml", "pipelines.a", "starts itself", "remove"),
    ),
    "a parameter that no notebook has": (
        model("test_size", "test_sise"),
        *("model.yml", "pipelines.train.parameters.test_sise", "no notebook", "test_size?"),
    ),
    "an unknown image": (
        model("datascience", "datascienze"),
        *("model.yml", "image", "no image datascienze", "datascience?"),
    ),
    "an unknown size": (
        model("size: small", "size: giant"),
        *("model.yml", "size", "no size giant", "small"),
    ),
    "an unknown size of a step": (
        model("train.ipynb]", "{run: train.ipynb, size: giant}]"),
        *("model.yml", "pipelines.train.steps[1].size", "no size giant", "small"),
    ),
    "an unknown pool": (
        model("    steps", "    pool: gpus\n    steps"),
        *("model.yml", "pipelines.train.pool", "no pool gpus", "gpu?"),
    ),
    "another name than its repository": (
        model("churn", "kaboom"),
        *("model.yml", "name", "its repository is churn", "name: churn"),
    ),
    # Paths
    "a notebook that is not there": (
        model("train.ipynb]", "trian.ipynb]"),
        *("model.yml", "pipelines.train.steps[1]", "no notebook trian.ipynb", "train.ipynb?"),
    ),
    "a path out of the project": (
        model("train.ipynb]", "../train.ipynb]"),
        *("model.yml", "pipelines.train.steps[1]", "leads out", "move"),
    ),
    "a notebook that is called as none may be": (
        {**model("train.ipynb]", "Train.ipynb]"), "Train.ipynb": GOOD[TRAIN]},
        *("model.yml", "pipelines.train.steps[1]", "cannot be the name", "train-model.ipynb"),
    ),
    "a schema that is not there": (
        model("size: small", "schema: schema.yml\nsize: small"),
        *("model.yml", "schema", "no file schema.yml", "add it"),
    ),
    "a schema that is no YAML": (
        {**model("size: small", "schema: schema.yml\nsize: small"), "schema.yml": "columns: [\n"},
        *("schema.yml", "line 2", "not YAML", "correct"),
    ),
    "a schema without columns": (
        {**model("size: small", "schema: schema.yml\nsize: small"), "schema.yml": "age: int\n"},
        *("schema.yml", "", "has no columns", "columns:"),
    ),
    # Notebooks
    "broken JSON": (
        {TRAIN: '{"cells": [\n}'},
        *(TRAIN, "line 2", "is not JSON", "restore it"),
    ),
    "no notebook": ({TRAIN: "[]"}, TRAIN, "", "has no cells", "restore it"),
    "an empty notebook file": ({TRAIN: ""}, TRAIN, "line 1", "is not JSON", "restore it"),
    "an old notebook": (
        {TRAIN: '{"cells": [], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}'},
        *(TRAIN, "", "format 3.0", "save it"),
    ),
    "a cell that is not valid": (
        {TRAIN: notebook(PARAMETERS, {"cell_type": "code", "metadata": {}, "source": "1"})},
        *(TRAIN, "cell 2", "is not valid", "repair"),
    ),
    "a cell of a kind that there is not": (
        {TRAIN: notebook(PARAMETERS, {"cell_type": "sql", "metadata": {}, "source": "1"})},
        *(TRAIN, "cell 2", "is not valid", "repair"),
    ),
    "no parameters cell": (
        {TRAIN: notebook(cell("test_size = 0.2"))},
        *(TRAIN, "", "no cell for the parameters", "tag parameters"),
    ),
    "two parameters cells": (
        {TRAIN: notebook(PARAMETERS, cell("a = 1"), PARAMETERS | {"id": "other"})},
        *(TRAIN, "cell 3", "as cell 1 has", "remove one"),
    ),
    "another language": (
        {
            TRAIN: notebook(
                PARAMETERS,
                metadata={"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
            )
        },
        *(TRAIN, "", "not of Python", "Python 3"),
    ),
    "a kernel of its author": (
        {
            TRAIN: notebook(
                PARAMETERS, metadata={"kernelspec": {"name": "myenv", "display_name": "My"}}
            )
        },
        *(TRAIN, "", "kernel myenv", "Python 3"),
    ),
    "no kernel": ({TRAIN: notebook(PARAMETERS, metadata={})}, TRAIN, "", "no kernel", "Python 3"),
    "a cell that is no Python": (
        with_cell("x = 1\nif x\n"),
        *(TRAIN, "cell 2", "is not Python in its line 2", "correct"),
    ),
    "a huge output": (
        with_cell("1", [printed("x" * 1_100_000)]),
        *(TRAIN, "cell 2", "an output of 1.0 MiB", "clear it"),
    ),
    "many large outputs": (
        {
            TRAIN: notebook(
                PARAMETERS, *(cell("1", outputs=[printed("x" * 1_000_000)]) for _ in range(11))
            )
        },
        *(TRAIN, "", "outputs of 10.5 MiB in all", "clear them"),
    ),
    "an output of 200 MB": (
        {TRAIN: b" " * 200_000_000},
        *(TRAIN, "", "has 190 MiB, nearly all of it outputs", "clear the outputs"),
    ),
    "a path of a home": (
        with_cell("import json\nopen('/home/jovyan/work/data.csv')"),
        *(TRAIN, "cell 2", "/home/jovyan", "run_dir"),
    ),
    "a path of a home, in a shell command": (
        with_cell("!cp ~/data.csv ."),
        *(TRAIN, "cell 2", "home of its author, ~", "run_dir"),
    ),
    # Secrets
    "a key of AWS in a cell": (
        with_cell(f"client = connect('{AWS}')"),
        *(TRAIN, "cell 2", "AWS Access Key", "revoke"),
    ),
    "a token in an output": (
        with_cell("1", [printed(f"using {GITHUB}")]),
        *(TRAIN, "cell 2", "an output with what looks like a secret: GitHub", "clear the output"),
    ),
    "the environment in an output": (
        with_cell("1", [printed("'JUPYTERHUB_API_TOKEN': '0f3c9a71d2e84b5f9e6a7c1d2b3f4a5e',")]),
        *(TRAIN, "cell 2", "the value of TOKEN", "clear the output"),
    ),
    "a token in a table": (
        with_cell(
            "1",
            [
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/html": ["<td>", f"{OPENED}</td>"]},
                }
            ],
        ),
        *(TRAIN, "cell 2", "JSON Web Token", "clear the output"),
    ),
    "a password in a cell": (
        with_cell("db = connect(host='db', password='hunter2')"),
        *(TRAIN, "cell 2", "gives password a value", "environment"),
    ),
    "a password in an address": (
        with_cell("url = 'postgresql://ana:hunter2@db/shop'"),
        *(TRAIN, "cell 2", "Basic Auth", "revoke"),
    ),
    "a key in text": (with_cell(PEM, kind="markdown"), TRAIN, "cell 2", "Private Key", "revoke"),
    "a token in a module": (
        {"load.py": "import os\n\nos.environ['API_TOKEN'] = 'f00ba4f00ba4'\n"},
        *("load.py", "line 3", "gives API_TOKEN a value", "environment"),
    ),
    "a token in a file": (
        {"notes.md": f"# Notes\n\nuse {GITHUB}\n"},
        *("notes.md", "line 3", "GitHub", "revoke"),
    ),
    # Packages
    "an import of the home": (
        with_cell("import json\nimport lightgbm_of_ana"),
        *(TRAIN, "cell 2", "imports lightgbm_of_ana", "requirements.txt"),
    ),
    "an import in a magic": (
        with_cell("%%time\nfrom nowhere.at.all import x"),
        *(TRAIN, "cell 2", "imports nowhere", "requirements.txt"),
    ),
    "an import of a module": (
        {"load.py": "def f():\n    import nowhere\n"},
        *("load.py", "line 2", "imports nowhere", "requirements.txt"),
    ),
    "a requirement that is none": (
        {"requirements.txt": "polars >= \n"},
        *("requirements.txt", "line 1", "is no requirement", "polars>=1.30"),
    ),
    "a folder as a requirement": (
        {"requirements.txt": "# mine\n-e .\n"},
        *("requirements.txt", "line 2", "installed from a folder", "project"),
    ),
    "a wheel as a requirement": (
        {"requirements.txt": "./wheels/mine-1.0-py3-none-any.whl\n"},
        *("requirements.txt", "line 1", "is a path", "version"),
    ),
    "a repository as a requirement": (
        {"requirements.txt": "git+ssh://git@example.com/ana/mine.git\n"},
        *("requirements.txt", "line 1", "is an address", "polars>=1.30"),
    ),
    "a named repository as a requirement": (
        {"requirements.txt": "mine @ git+https://example.com/mine.git\n"},
        *("requirements.txt", "line 1", "which builds do not reach", "package index"),
    ),
    "another index": (
        {"requirements.txt": "--extra-index-url https://ana:hunter2@example.com/simple\nsix\n"},
        *("requirements.txt", "line 1", "names an index", "platform's"),
    ),
    "requirements of another file": (
        {"requirements.txt": "-r other.txt\n"},
        *("requirements.txt", "line 1", "is an option", "requirements themselves"),
    ),
    "requirements that are no text": (
        {"requirements.txt": b"\xff\xfe"},
        *("requirements.txt", "", "not UTF-8", "save"),
    ),
    # Files
    "a DAG that is no Python": (
        {"dags/mine.py": "from airflow import DAG\nwith DAG('x')\n    pass\n"},
        *("dags/mine.py", "line 2", "is not Python", "correct"),
    ),
    "a merge that was not finished": (
        {"load.py": "<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> other\n"},
        *("load.py", "line 1", "a merge that was not finished", "remove the marks"),
    ),
    "a merge in a notebook": (
        {TRAIN: "{\n<<<<<<< HEAD\n}"},
        *(TRAIN, "line 2", "a merge that was not finished", "remove the marks"),
    ),
    "a huge file": (
        {"data.bin": b"\0" * 60_000_000},
        *("data.bin", "", "has 57 MiB", "Git LFS"),
    ),
}
PLATFORM = Known(
    images=["base", "datascience"], sizes=["small", "large"], name="churn", pools=["gpu"]
)


@pytest.mark.parametrize(("change", "file", "place", "what", "remedy"), BAD.values(), ids=BAD)
def test_a_bad_project(
    tmp_path: Path, change: dict[str, str | bytes], file: str, place: str, what: str, remedy: str
) -> None:
    problems = check(write(tmp_path, {**GOOD, **change}), PLATFORM)
    found = [
        problem
        for problem in problems
        if (problem.file, problem.place) == (file, place) and what in problem.what
    ]
    assert found, [str(problem) for problem in problems]
    assert remedy in found[0].remedy
    for problem in problems:
        assert "\n" not in str(problem)
        assert "hunter2" not in str(problem)


def test_a_good_project(tmp_path: Path) -> None:
    assert check(write(tmp_path, GOOD), PLATFORM) == []


GOOD_CHANGES: dict[str, Mapping[str, str | bytes]] = {
    "a notebook image": {
        "model.yml": "name: geo\nkind: image\nimage: base\ntitle: Geo\npackages: [gdal-bin]\n",
        "requirements.txt": "pyproj>=3.7\n",
    },
    "every key": {
        "model.yml": """\
name: churn
image: datascience
size: small
schema: schema.yml
pipelines:
  etl: {schedule: "*/15 6-18 * * 1-5", tracking: off, steps: [prepare.ipynb, validate]}
  train:
    after: etl
    retries: 2
    timeout: 2h
    pool: gpu
    parameters: {test_size: 0.2}
    smoke: {test_size: 0.5}
    steps: [prepare.ipynb, {run: train.ipynb, size: large}, promote]
  predict:
    schedule: "@monthly"
    start_date: 2026-01-31
    catchup: true
    steps:
      - sub/predict.ipynb
      - {run: drift, needs: [sub/predict.ipynb]}
      - {run: publish-table, needs: [sub/predict.ipynb]}
      - {run: train, needs: [drift], when: drifted}
promote: {metric: roc_auc, data: holdout.parquet, target: churned}
drift: {current: features.parquet}
predict: {output: predictions.parquet}
serve: {replicas: 2}
""",
        "schema.yml": "columns: {age: {}}\n",
        "sub/predict.ipynb": notebook(cell("1")),
    },
    "magics, questions and shell": with_cell(
        "%matplotlib inline\nimport json\n!ls -l\nfiles = !ls\njson.dumps?\nawait something()\n"
    ),
    "a cell of another language": with_cell("%%bash\nfor f in *; do echo $f; done"),
    "an import that it can do without": with_cell(
        "try:\n    import cupy_of_ana as np\nexcept ImportError:\n    import json as np"
    ),
    "an import of its own": {
        **with_cell("from features import scale\nimport lib.deep"),
        "features.py": "def scale(): ...\n",
        "lib/deep/__init__.py": "from . import other\n",
    },
    "an import that is asked for": {
        **with_cell("import light_gbm"),
        "requirements.txt": "Light.GBM[x]==4.6 ; python_version > '3' # fast\n",
    },
    "an import that may be asked for": {
        **with_cell("import cv2"),
        "requirements.txt": "opencv-python-of-ana\\\n  ==4.6 --hash=sha256:00ff\n",
    },
    "an old notebook without names of cells": {TRAIN: notebook(PARAMETERS, minor=4)},
    "a plot": with_cell(
        "1",
        [
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"image/png": "iVBORw0KGgo" * 9000, "text/plain": "<Figure>"},
            }
        ],
    ),
    "an error in an output": with_cell(
        "1",
        [
            {
                "output_type": "error",
                "ename": "KeyError",
                "evalue": "'token'",
                "traceback": ["\x1b[31mKeyError\x1b[0m: 'token' /home/jovyan/x.py"],
            }
        ],
    ),
    "no secrets": with_cell(
        """
import os
from getpass import getpass

password = os.environ["DB_PASSWORD"]
token = getpass("Token: ")
tokenizer = "bert-base-uncased-v2"
pad_token, eos_token = "[PAD]", "</s>"
unk_token = "<unk>"
passengers = "titanic3.csv"
password_column = "password"
connect(password=password, user="ana", token=None, api_key="YOUR_API_KEY")
url = f"postgresql://{user}:{password}@db/shop"
docs = "https://scikit-learn.org/stable/modules/cross_validation.html#k-fold"
run = "models:/m-0f3c9a71d2e84b5f9e6a7c1d2b3f4a5e"
commit = "c860bfa5b1f6fd0b9cb7f0f6f0f1d6f6a9b4c3d2"
secret = "test"
formula = "churned ~ age + months"
config = {"max_tokens": 4096, "token_type": "bearer_token_2026"}
""",
        [
            printed("Epoch 1/10 loss: 0.123456 tokens: 123456789012345678901234567890\n"),
            printed("run 0f3c9a71d2e84b5f9e6a7c1d2b3f4a5e at http://mlflow/#/experiments/1\n"),
        ],
    ),
    "a DAG of its own": {"dags/own.py": "from nowhere.sdk import DAG\n"},
    "half of a merge is a heading": {"README.md": "Results\n=======\n"},
    "paths that all have": with_cell(
        "open('/shared/risk/x.csv')\nurl = 'https://example.com/home/ana/x'\n"
        "cache = '~/.cache/huggingface'"
    ),
    "an R notebook that no pipeline runs": {
        "explore.ipynb": notebook(
            cell("x <- 1"),
            metadata={"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
        )
    },
}


@pytest.mark.parametrize("change", GOOD_CHANGES.values(), ids=GOOD_CHANGES)
def test_other_good_projects(tmp_path: Path, change: dict[str, str | bytes]) -> None:
    problems = check(write(tmp_path, {**GOOD, **change}))
    assert [str(problem) for problem in problems] == []


def test_the_template(tmp_path: Path) -> None:
    make(tmp_path / "churn", "churn")
    missing = {"mlflow", "numpy", "pandas", "sklearn"}  # which this Python lacks and the image has
    problems = [
        problem
        for problem in check(tmp_path / "churn", PLATFORM)
        if problem.what not in {f"imports {name}, which the image lacks" for name in missing}
    ]
    assert [str(problem) for problem in problems] == []


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    change = {
        **BAD["cron nonsense"][0],
        **BAD["broken JSON"][0],
        **BAD["a folder as a requirement"][0],
    }
    assert [problem.file for problem in check(write(tmp_path, {**GOOD, **change}))] == [
        "model.yml",
        "requirements.txt",
        "train.ipynb",
    ]


def test_a_link_out_of_the_project(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.ipynb": GOOD[TRAIN]})
    root = write(tmp_path / "project", GOOD)
    (root / TRAIN).unlink()
    (root / TRAIN).symlink_to(outside / "secret.ipynb")
    (root / "all").symlink_to(outside)
    (root / "gone").symlink_to("nowhere")
    (root / "fine").symlink_to("prepare.ipynb")
    found = [(problem.file, problem.place, problem.what) for problem in check(root)]
    out = "is a link that leads out of the project"
    assert found == [
        ("all", "", out),
        ("gone", "", out),
        ("model.yml", "pipelines.train.steps[1]", "train.ipynb leads out of the project"),
        ("train.ipynb", "", out),
    ]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    root = write(tmp_path, GOOD)
    (root / TRAIN).unlink()
    os.mkfifo(root / TRAIN)
    os.mkfifo(root / "requirements.txt")
    assert [(problem.file, problem.place) for problem in check(root)] == [
        ("model.yml", "pipelines.train.steps[1]"),
        ("requirements.txt", ""),
    ]


def test_there_is_no_such_directory(tmp_path: Path) -> None:
    [problem] = check(tmp_path / "nowhere")
    assert problem.what == "is no directory"


def test_what_git_ignores_and_lfs_keeps_is_no_part_of_a_clone(tmp_path: Path) -> None:
    large = b"\0" * 60_000_000
    root = write(
        tmp_path,
        {**GOOD, "run/data.bin": large, "lfs/data.bin": large, "data.bin": large}
        | {".gitignore": "run/\n", ".gitattributes": "lfs/* filter=lfs -text\n"},
    )
    assert [p.file for p in check(root)] == ["data.bin", "lfs/data.bin", "run/data.bin"]
    subprocess.run(["git", "init", "-q", root], check=True)
    assert [p.file for p in check(root)] == ["data.bin"]


def test_a_package_of_the_home_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write(
        tmp_path / "home",
        {
            "cv2_of_ana/__init__.py": "",
            "opencv_of_ana-4.6.dist-info/METADATA": "Name: opencv-of-ana\nVersion: 4.6\n",
            "opencv_of_ana-4.6.dist-info/top_level.txt": "cv2_of_ana\n",
        },
    )
    monkeypatch.setattr("site.getusersitepackages", lambda: str(home))
    monkeypatch.setattr(sys, "path", [*sys.path, str(home)])
    for cached in (imports.in_image, imports._installed, imports._in_home):
        cached.cache_clear()
    try:
        root = write(tmp_path / "project", {**GOOD, **with_cell("import cv2_of_ana")})
        [problem] = check(root)
        assert problem.what == "imports cv2_of_ana, which only your home has (opencv-of-ana 4.6)"
        assert problem.remedy == "add opencv-of-ana to requirements.txt"
        write(root, {"requirements.txt": "something-else\n"})
        assert check(root) == [problem]
        write(root, {"requirements.txt": "OpenCV_of.Ana>=4\n"})
        assert check(root) == []
    finally:
        for cached in (imports.in_image, imports._installed, imports._in_home):
            cached.cache_clear()


def test_a_requirement_that_does_not_exist(tmp_path: Path) -> None:
    root = write(tmp_path, {**GOOD, "requirements.txt": "# ours\nsix\nno-such.package==7\n"})
    asked = []

    def run(command: list[str]) -> tuple[int, str]:
        asked.append(command)
        return 1, (
            "ERROR: Could not find a version that satisfies the requirement no-such.package==7 "
            "(from versions: none)\nERROR: No matching distribution found for no-such.package==7\n"
        )

    [problem] = resolution.check(root, run)
    assert (problem.file, problem.place) == ("requirements.txt", "line 3")
    assert problem.what == "No matching distribution found for no-such.package==7"
    assert "index" in problem.remedy
    [command] = asked
    assert command[1:4] == ["-sP", "-m", "pip"]
    assert command[-2:] == ["--requirement", str(root / "requirements.txt")]
    assert "--dry-run" in command


def test_a_pip_that_says_nothing_is_a_problem_too(tmp_path: Path) -> None:
    root = write(tmp_path, {"requirements.txt": "six\n"})
    [problem] = resolution.check(root, lambda _: (137, "\n"))
    assert (problem.place, problem.what) == ("", "pip ended with 137 and said nothing")


def test_requirements_that_can_be_had_are_no_problem(tmp_path: Path) -> None:
    assert list(resolution.check(tmp_path, lambda _: (1, "not asked"))) == []
    root = write(tmp_path, {"requirements.txt": "six\n"})
    assert list(resolution.check(root, lambda _: (0, ""))) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
CELLS = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
        "metadata": st.fixed_dictionaries({"tags": st.lists(st.text()) | JSON}) | JSON,
        "source": st.text() | st.lists(st.text()) | JSON,
    },
    optional={
        "outputs": JSON
        | st.lists(
            st.fixed_dictionaries(
                {"output_type": st.just("stream"), "name": st.just("stdout"), "text": st.text()}
            )
        ),
        "execution_count": st.none() | JSON,
        "id": st.text(),
    },
)
NOTEBOOKS = st.fixed_dictionaries(
    {
        "cells": st.lists(CELLS, max_size=3) | JSON,
        "metadata": st.fixed_dictionaries({"kernelspec": JSON, "language_info": JSON})
        | st.dictionaries(st.text(), JSON),
        "nbformat": st.just(4) | JSON,
        "nbformat_minor": st.integers(0, 5) | JSON,
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(
    notebook={"cells": [{"cell_type": 0}], "metadata": {}, "nbformat": 4, "nbformat_minor": 0},
    code="",
    requirements="",
    schema="",
)
@given(
    notebook=NOTEBOOKS,
    code=st.text(),
    requirements=st.text() | st.binary(),
    schema=st.text(),
)
def test_no_input_breaks_it(
    tmp_path_factory: pytest.TempPathFactory,
    notebook: Any,
    code: str,
    requirements: str | bytes,
    schema: str,
) -> None:
    root = tmp_path_factory.mktemp("project")
    text = json.dumps(notebook)
    files: dict[str, str | bytes] = {
        "model.yml": MODEL.replace("size: s", "schema: schema.yml\nsize: s"),
        "prepare.ipynb": text,
        "dags/a.py": code.encode(errors="replace"),
        "requirements.txt": requirements
        if isinstance(requirements, bytes)
        else requirements.encode(errors="replace"),
        "schema.yml": schema.encode(errors="replace"),
    }
    for problem in check(write(root, {**GOOD, **files}), PLATFORM):
        assert "\n" not in str(problem)
        str(problem).encode()


@settings(max_examples=60, deadline=None)
@given(content=st.binary())
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root = tmp_path_factory.mktemp("project")
    names = ["model.yml", "train.ipynb", "requirements.txt", "dags/a.py", ".gitattributes"]
    for problem in check(write(root, dict.fromkeys(names, content))):
        assert "\n" not in str(problem)
