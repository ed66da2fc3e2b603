"""All keys of model.yml: each is declared once, with its type, its default and its help."""

from typing import Literal

from pydantic import ConfigDict, Field

from notehive.models.pipelines import Part, Pipeline
from notehive.models.sections import Drift, Predict, Promote, Serve
from notehive.models.values import DebianPackage, ModelName, PipelineName, ProjectFile


class Project(Part):
    """What a model.yml says."""

    # Its JSON has the keys of the file, so that it is read back as the file is.
    model_config = ConfigDict(serialize_by_alias=True)

    name: ModelName = Field(
        description="Name of the model, and of its repository: 2 to 40 lower-case letters, digits "
        "and dashes."
    )
    kind: Literal["model", "image"] = Field(
        "model",
        description="`image`: the repository is no model; a release of it is a notebook image for "
        "the spawn form.",
    )
    title: str = Field("", max_length=60, description="With `image`: its name on the spawn form.")
    description: str = Field(
        "", max_length=200, description="With `image`: one line below the title."
    )
    packages: list[DebianPackage] = Field(
        default_factory=list, description="With `image`: packages of Debian that it adds."
    )
    image: str = Field(description="The notebook image that it builds on, like `datascience`.")
    size: str = Field(
        "", description="CPU and memory of its jobs, by the name of a size; required of a model."
    )
    schema_file: ProjectFile | None = Field(
        None,
        alias="schema",
        description="The file that says what the data must be: columns, types, ranges, nulls. The "
        "step `validate` needs it.",
    )
    pipelines: dict[PipelineName, Pipeline] = Field(
        default_factory=dict, description="What there is to run; a model has at least one."
    )
    promote: Promote | None = Field(
        None, description="How the step `promote` decides between champion and challenger."
    )
    drift: Drift | None = Field(
        None, description="What the step `drift` compares with the champion's reference."
    )
    predict: Predict | None = Field(None, description="What the pipeline `predict` leaves behind.")
    serve: Serve | None = Field(
        None, description="The servers that answer requests for predictions; none if not given."
    )
