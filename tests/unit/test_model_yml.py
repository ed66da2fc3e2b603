"""model.yml: what is read from it, and what a person is told about a mistake in it."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from notehive.errors import BadInput
from notehive.models.declaration import Project
from notehive.models.project import from_json, load, parse, to_json
from notehive.typed_yaml.section import describe
from tests.support.projects import MODEL

HEAD = "name: churn\nimage: datascience\nsize: small\n"
DESIGN = """\
name: churn                      # [a-z0-9-], 2 to 40
image: datascience               # the notebook image that it builds on
size: small                      # CPU and memory of its jobs
schema: schema.yml               # columns, types, ranges, nulls
pipelines:
  etl:
    schedule: "0 0 1 * *"        # cron, or omitted: on demand only
    steps: [extract.ipynb, validate]
  train:
    after: etl                   # runs when that pipeline has succeeded
    parameters: {test_size: 0.2}
    steps:
      - prepare.ipynb
      - {run: train.ipynb, needs: [prepare.ipynb]}
      - {run: promote, needs: [train.ipynb]}
  predict:
    schedule: "@daily"
    steps: [predict.ipynb, {run: drift, needs: [predict.ipynb]}, {run: train, when: drifted}]
promote: {metric: roc_auc, goal: max, min_gain: 0.0, data: holdout.parquet, target: churned}
drift:   {current: features.parquet, ks_pvalue: 0.05, psi: 0.2}
predict: {output: predictions.parquet}
serve:   {replicas: 1}
"""


def right(text: str) -> Project:
    project, problems = parse(text)
    assert project is not None, problems
    return project


def wrong(text: str) -> list[str]:
    project, problems = parse(text)
    assert project is None
    return [str(problem) for problem in problems]


def pipeline(text: str) -> str:
    return f"{HEAD}pipelines:\n  train:\n    steps: [train.ipynb]\n    {text}\n"


def steps(text: str, more: str = "") -> str:
    return f"{HEAD}{more}pipelines: {{train: {{steps: {text}}}}}\n"


def test_the_contract() -> None:
    project = right(DESIGN)
    assert project.schema_file == "schema.yml"
    assert project.pipelines["train"].after == "etl"
    assert [step.run for step in project.pipelines["predict"].steps] == [
        "predict.ipynb",
        "drift",
        "train",
    ]
    assert project.promote and project.promote.goal == "max"
    assert project.drift and project.drift.psi == 0.2


def test_what_is_left_out_has_its_default() -> None:
    project = right(f"{HEAD}pipelines: {{train: {{steps: [train.ipynb]}}}}\n")
    assert project.kind == "model"
    assert project.promote is None
    train = project.pipelines["train"]
    assert (train.schedule, train.after, train.tracking, train.catchup) == (None, None, True, False)
    assert train.parameters == {}


def test_json_gives_the_project_back() -> None:
    project = right(DESIGN)
    assert from_json(to_json(project)) == project
    assert to_json(project)["schema"] == "schema.yml"


def test_a_notebook_image() -> None:
    project = right(
        "name: geo\nkind: image\nimage: datascience\ntitle: Geography\n"
        "description: With GDAL\npackages: [gdal-bin]\n"
    )
    assert (project.kind, project.packages) == ("image", ["gdal-bin"])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("1e-3", 0.001),
        ("010", 10),
        ("0x1F", 31),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("true", True),
        ("~", None),
        ("", None),
        ("[1, two]", [1, "two"]),
        ("{a: {b: .5}}", {"a": {"b": 0.5}}),
        ("'7'", "7"),
    ],
)
def test_parameters_are_what_people_mean(written: str, value: object) -> None:
    given = right(pipeline(f"parameters: {{p: {written}}}")).pipelines["train"].parameters["p"]
    assert given == value
    assert type(given) is type(value)


@pytest.mark.parametrize(
    ("written", "tracked"), [("on", True), ("off", False), ("true", True), ("false", False)]
)
def test_tracking_is_a_switch(written: str, tracked: bool) -> None:
    assert right(pipeline(f"tracking: {written}")).pipelines["train"].tracking is tracked


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # Not YAML, or not keys and values
        ("", "holds no keys and values; begin with name: NAME"),
        ("- a", "holds no keys and values; begin with"),
        ("name: [", "line 1: not YAML: expected the node content, but found '<stream end>'; put"),
        ("schedule: @daily", "line 1: not YAML: found character '@' that cannot start any token; "),
        ("name: \0", "line 1: not YAML: special characters are not allowed"),
        ("a: &a [*a]", "nested too deeply, or an alias (*) that holds itself; correct it"),
        ("name: !!int x", "not YAML: invalid literal"),
        (f"{HEAD}size: big", "size: written twice; keep one"),
        (f"{HEAD}1: a", "1: a key should be text; put it in quotes"),
        # Keys
        (f"{HEAD}pipeline: {{}}", "pipeline: unknown key; did you mean pipelines?"),
        (pipeline("schedul: x"), "pipelines.train.schedul: unknown key; did you mean schedule?"),
        (
            steps("[{run: a.ipynb, need: [b]}]"),
            "pipelines.train.steps[0].need: unknown key; did you mean needs?",
        ),
        ("name: churn\nsize: small", "image: is missing; add it"),
        (f"{HEAD}pipelines: {{train: {{}}}}", "pipelines.train.steps: is missing; add it"),
        (f"{HEAD}pipelines: {{train: }}", "pipelines.train: is empty; give it a value or remove"),
        (steps("[]"), "pipelines.train.steps: needs at least one entry; add one"),
        # Types: nothing is converted
        ("name: 7\nimage: a\nsize: b", "name: is 7; should be text in quotes"),
        (pipeline("retries: two"), 'pipelines.train.retries: is "two"; should be a whole number'),
        (pipeline("retries: '2'"), 'pipelines.train.retries: is "2"; should be a whole number'),
        (pipeline("retries: 99"), "pipelines.train.retries: is 99; should be at most 10"),
        (pipeline("catchup: 1"), "pipelines.train.catchup: is 1; should be true or false"),
        (pipeline("tracking: maybe"), 'pipelines.train.tracking: is "maybe"; should be true or'),
        (steps("train.ipynb"), 'pipelines.train.steps: is "train.ipynb"; should be a list'),
        (steps("[7]"), "pipelines.train.steps[0]: is 7; should be keys and values"),
        (steps("[{run: a.ipynb, when: no}]"), 'pipelines.train.steps[0].when: is "no"; should be'),
        (pipeline("timeout: 30"), "pipelines.train.timeout: 30 is no span of time; write it like"),
        (f"{HEAD}kind: serving", 'kind: is "serving"; should be "model" or "image"'),
        # Names and paths
        ("name: Churn\nimage: a\nsize: b", "name: 'Churn' is no name of a model; use 2 to 40"),
        ("name: c\nimage: a\nsize: b", "name: 'c' is no name of a model; use 2 to 40"),
        ("name: churn-\nimage: a\nsize: b", "name: 'churn-' is no name of a model; use 2 to 40"),
        (
            f"{HEAD}pipelines: {{Train it: {{steps: [a.ipynb]}}}}",
            "pipelines.Train it: 'Train it' is no name of a pipeline; use 1 to 40",
        ),
        (
            steps("[../other/train.ipynb]"),
            "pipelines.train.steps[0]: ../other/train.ipynb leads out of the project; move the",
        ),
        (
            steps("[/srv/train.ipynb]"),
            "pipelines.train.steps[0]: /srv/train.ipynb leads out of the project; move the file",
        ),
        (
            steps("['Train Model.ipynb']"),
            "pipelines.train.steps[0]: 'Train Model.ipynb' is no path here; use letters",
        ),
        (
            steps("[notebooks/Train.ipynb]"),
            "pipelines.train.steps[0]: notebooks/Train.ipynb cannot be the name of a step; rename",
        ),
        (f"{HEAD}schema: ../s.yml", "schema: ../s.yml leads out of the project; move the file"),
        (
            f"{HEAD}predict: {{output: /tmp/out.parquet}}",
            "predict.output: '/tmp/out.parquet' is not in the run directory; name a file",
        ),
        # Parameters
        (pipeline("parameters: {test size: 1}"), "'test size' cannot be a variable of Python; use"),
        (pipeline("parameters: {class: 1}"), "'class' cannot be a variable of Python; use letters"),
        (
            pipeline("parameters: {run_dir: x}"),
            "run_dir is given to every notebook by the platform",
        ),
        (pipeline("parameters: {p: .nan}"), "pipelines.train.parameters.p: nan is no number that"),
        (pipeline("parameters: [p]"), "pipelines.train.parameters: is a list; should be keys and"),
        (
            pipeline(f"parameters: {{p: {'[' * 12 + ']' * 12}}}"),
            "p: is nested too deeply; give the",
        ),
        # When
        (pipeline("schedule: daily"), "pipelines.train.schedule: 'daily' is no schedule; write"),
        (pipeline("schedule: '@fortnightly'"), "'@fortnightly' is no schedule; write five fields"),
        (pipeline("schedule: '* * * *'"), "schedule: '* * * *' is no schedule; write five fields"),
        (
            pipeline("schedule: '@daily'\n    start_date: 2026-02-30"),
            "pipelines.train.start_date: '2026-02-30' is no day; write it like 2026-01-31",
        ),
        # Others
        (
            f"{HEAD}drift: {{current: f.parquet, ks_pvalue: 1.5}}",
            "drift.ks_pvalue: is 1.5; should be less than 1",
        ),
        (
            f"{HEAD}promote: {{metric: auc, goal: more, data: h.parquet, target: y}}",
            'promote.goal: is "more"; should be "max" or "min"',
        ),
        (
            "name: geo\nkind: image\nimage: base\npackages: ['a b']",
            "packages[0]: 'a b' is no package of Debian; write its name alone",
        ),
        (
            f"name: geo\nkind: image\nimage: base\ntitle: {'x' * 61}",
            "text of at most 60 characters",
        ),
    ],
)
def test_a_mistake_is_one_line_with_place_and_remedy(text: str, problem: str) -> None:
    [said, *_] = wrong(text)
    assert said.startswith("model.yml: ")
    assert problem in said
    assert "\n" not in said
    assert "; " in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEAD, "pipelines: is missing; add one"),
        (MODEL.replace("size: small\n", ""), "size: is missing; name a size"),
        (f"{MODEL}title: Churn", "title: is for kind: image; remove it"),
        (f"{MODEL}kind: image", "pipelines: is for kind: model; remove it"),
        (f"{MODEL}kind: image", "size: is for kind: model; remove it"),
        # Steps that are not there
        (
            steps("[train]"),
            "pipelines.train.steps[0]: train is the pipeline itself; name another step",
        ),
        (
            steps("[a.ipynb, promot]"),
            "pipelines.train.steps[1]: there is no step or pipeline promot; did you mean promote?",
        ),
        (
            steps("[a.ipynb, {run: b.ipynb, needs: [a.ipynb, prepare.ipynb]}]"),
            "pipelines.train.steps[1].needs[1]: there is no step prepare.ipynb; did you",
        ),
        (
            steps("[a.ipynb, {run: b.ipynb, needs: [b.ipynb]}]"),
            "pipelines.train.steps[1].needs[0]: is the step itself; name another step",
        ),
        (
            steps("[a.ipynb, b/a.ipynb]"),
            "pipelines.train.steps[1]: a is the name of steps[0] too; rename one",
        ),
        (
            steps("[{run: a.ipynb, needs: [b.ipynb]}, b.ipynb]"),
            "pipelines.train.steps: wait for each other: ",
        ),
        # Built-ins without what they read
        (steps("[validate]"), "steps[0]: validate reads the section schema; add schema: to"),
        (steps("[promote]"), "steps[0]: promote reads the section promote; add promote: to"),
        (steps("[drift]"), "steps[0]: drift reads the section drift; add drift: to model.yml"),
        (steps("[publish-table]"), "steps[0]: publish-table reads the section predict; add"),
        (
            steps("[a.ipynb, {run: b.ipynb, when: drifted}]"),
            "pipelines.train.steps[1].when: no drift comes before the step; add the step drift",
        ),
        (
            f"{HEAD}pipelines: {{drift: {{steps: [a.ipynb]}}}}",
            "pipelines.drift: is the name of a built-in step; choose another name",
        ),
        # Pipelines after pipelines
        (pipeline("after: etl"), "pipelines.train.after: there is no pipeline etl; "),
        (pipeline("after: train"), "pipelines.train.after: is the pipeline itself; name another"),
        (
            f"{HEAD}pipelines: {{a: {{steps: [x.ipynb]}}, "
            "b: {after: a, schedule: '@daily', steps: [x.ipynb]}}",
            "pipelines.b.after: is instead of schedule:; keep one of the two",
        ),
        (
            f"{HEAD}pipelines: {{a: {{after: b, steps: [x.ipynb]}}, "
            "b: {after: a, steps: [x.ipynb]}}",
            "starts itself in the end: ",
        ),
        (
            f"{HEAD}pipelines: {{a: {{steps: [x.ipynb, b]}}, b: {{steps: [x.ipynb, a]}}}}",
            "starts itself in the end: ",
        ),
        (
            f"{HEAD}pipelines: {{a: {{steps: [x.ipynb]}}, b: {{after: a, steps: [x.ipynb, a]}}}}",
            "starts itself in the end: ",
        ),
        (pipeline("start_date: 2026-01-31"), "start_date: says nothing without schedule:; add"),
        (
            pipeline("schedule: '@daily'\n    catchup: true"),
            "pipelines.train.catchup: needs the day to begin with; add start_date:",
        ),
    ],
)
def test_a_contradiction_is_one_line_with_place_and_remedy(text: str, problem: str) -> None:
    said = wrong(text)
    assert [line for line in said if problem in line], said
    assert all(line.startswith("model.yml: ") and "; " in line for line in said)


def test_a_circle_is_shown_in_the_order_of_things() -> None:
    text = (
        f"{HEAD}pipelines: {{a: {{steps: [x.ipynb, b]}}, "
        "b: {steps: [x.ipynb]}, c: {after: b, steps: [x.ipynb, a]}}"
    )
    [said] = wrong(text)
    assert "pipelines.a: starts itself in the end: a -> b -> c -> a; remove an after:" in said


def test_all_mistakes_are_named_at_once() -> None:
    said = wrong("name: A B\nsise: small\npipelines: {train: {steps: [../a.ipynb], retries: x}}")
    places = {line.split(": ")[1] for line in said}
    assert places == {
        "name",
        "sise",
        "image",
        "pipelines.train.steps[0]",
        "pipelines.train.retries",
    }


def test_aliases_of_aliases_do_not_grow() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    [said] = wrong(bomb)
    assert "holds more than 20000 keys and items; write less" in said


def test_load_raises_the_first_problem(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^model\.yml: is missing; make one with `notehive model"):
        load(tmp_path)
    (tmp_path / "model.yml").write_text("name: churn\nsize: small\n")
    with pytest.raises(BadInput, match=r"^model\.yml: image: is missing; add it$"):
        load(tmp_path)
    (tmp_path / "model.yml").write_text(MODEL)
    assert load(tmp_path).name == "churn"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"name: \xff", "is not UTF-8 text; save it as UTF-8"),
        (b"#" * 300_000, "is larger than 256 KiB; write less"),
    ],
)
def test_what_is_no_text_is_not_read(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "model.yml").write_bytes(content)
    with pytest.raises(BadInput, match=problem):
        load(tmp_path)


def test_every_key_is_described() -> None:
    for key, _, text in describe(Project):
        assert text.endswith((".", "…")), key


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    for problem in parse(text)[1]:
        assert "\n" not in str(problem)
        str(problem).encode()


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "pipelines",
                        "train",
                        "steps",
                        "run",
                        "needs",
                        "after",
                        "parameters",
                        "name",
                        "when",
                    ]
                )
                | st.text(),
                inner,
            )
        ),
        max_leaves=20,
    )
)
def test_no_document_breaks_it(data: object) -> None:
    for problem in parse(yaml.safe_dump(data))[1]:
        assert "\n" not in str(problem)
