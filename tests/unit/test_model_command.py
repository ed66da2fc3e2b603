"""The command `notehive` of notebook servers, and the projects that it makes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from notehive.errors import BadInput
from notehive.models.cli import app, main
from notehive.models.new import TEMPLATE, example, examples, make
from notehive.models.project import load
from tests.support.projects import GOOD, write

RUN = CliRunner()


def test_a_good_project(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["model", "check", str(write(tmp_path, GOOD))])
    assert (done.exit_code, done.output) == (0, "No problems.\n")


def test_problems_are_lines_and_the_code_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {**GOOD, "requirements.txt": "-e .\n", "load.py": "if\n"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["notehive", "model", "check"])
    with pytest.raises(SystemExit) as raised:
        main()
    said = capsys.readouterr()
    assert raised.value.code == 2
    assert said.out.splitlines() == [
        "load.py: line 1: is not Python: invalid syntax; correct it",
        "requirements.txt: line 1: -e .: is installed from a folder; put the code into the project",
    ]
    assert said.err == "2 problems; nothing can be released before\n"


def test_problems_as_json(tmp_path: Path) -> None:
    write(tmp_path, {**GOOD, "requirements.txt": "-e .\n"})
    done = RUN.invoke(app, ["model", "check", "--json", str(tmp_path)])
    assert done.exit_code == 2
    assert json.loads(done.stdout) == [
        {
            "file": "requirements.txt",
            "place": "line 1",
            "what": "-e .: is installed from a folder",
            "remedy": "put the code into the project",
        }
    ]
    done = RUN.invoke(app, ["model", "check", "--json", str(write(tmp_path / "good", GOOD))])
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("name", sorted(examples(EXAMPLES)))
def test_an_example_becomes_a_project_of_that_name(name: str, tmp_path: Path) -> None:
    make(tmp_path / "mine", "mine", example(name, EXAMPLES))
    assert load(tmp_path / "mine").name == "mine"
    for path in filter(Path.is_file, (tmp_path / "mine").rglob("*")):
        assert name not in path.read_text()


def test_an_example_that_is_none() -> None:
    with pytest.raises(BadInput, match=r"churn: there is no such example; there are credit-search"):
        example("churn", EXAMPLES)
    with pytest.raises(BadInput, match=r"\.\.: there is no such example"):
        example("..", EXAMPLES)


def test_nothing_heavy_is_imported_before_a_verb_runs() -> None:
    heavy = "{'IPython', 'croniter', 'detect_secrets', 'mlflow', 'nbformat', 'packaging', 'yaml'}"
    code = f"import notehive.models.cli, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": "src"}, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


def test_a_new_project_has_its_name(tmp_path: Path) -> None:
    make(tmp_path / "shop-churn", "shop-churn")
    made = {
        str(path.relative_to(tmp_path / "shop-churn")): path.read_text()
        for path in (tmp_path / "shop-churn").rglob("*")
        if path.is_file()
    }
    assert {"model.yml", "train.ipynb", "tests/test_model.py", ".gitignore"} <= made.keys()
    assert load(tmp_path / "shop-churn").name == "shop-churn"
    assert not [name for name, text in made.items() if "NAME" in text]
    assert '\\"shop-churn\\"' in made["train.ipynb"]


def test_a_new_project_in_a_new_clone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    make(tmp_path, "churn")
    assert load(tmp_path).name == "churn"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write(tmp_path, {"churn/notes.txt": "mine"})
    with pytest.raises(BadInput, match="is not empty; name a directory that is not there"):
        make(tmp_path / "churn", "churn")
    with pytest.raises(BadInput, match="is not empty; name a directory that is not there"):
        make(tmp_path / "churn/notes.txt", "churn")
    with pytest.raises(BadInput, match="is no name of a model; use 2 to 40"):
        make(tmp_path / "other", "Other!")
    assert not (tmp_path / "other").exists()


def test_notebooks_of_the_template_are_clean() -> None:
    for path in TEMPLATE.glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs"), path
            assert cell.get("execution_count") is None, path
