"""The section `git.external`: an outside server that serves the models' repositories."""

from typing import Literal

from pydantic import Field

from notehive.settings.values import File, GitBranch, GitUrl, GitUser, ModelPath
from notehive.typed_yaml.section import Section


class External(Section):
    """A GitLab, a GitHub, a Gitea or a Forgejo of yours, or a public one."""

    provider: Literal["gitlab", "github", "gitea"] = Field(
        description="Which one; `gitea` is Forgejo as well. It says how pushes are told of."
    )
    repositories: dict[ModelPath, GitUrl] = Field(
        min_length=1,
        description="Models, as GROUP/NAME, each with the address that it is cloned from, like "
        "https://gitlab.example.com/ml/churn.git or ssh://git@gitlab.example.com/ml/churn.git. "
        "Nothing else is ever fetched.",
    )
    branch: GitBranch = Field("main", description="Their branch that is released.")
    webhook_secret_file: File = Field(
        description="File with the secret that the webhook was given there, 16 characters or more."
    )
    user: GitUser = Field(
        "notehive",
        description="Name that goes with the token; of a deploy token of GitLab the one it tells.",
    )
    token_file: File = Field(
        "", description="File with a token that may read the repositories; empty: all may."
    )
    key_file: File = Field(
        "", description="With ssh:// instead: file with a private key, without a passphrase."
    )
    known_hosts_file: File = Field(
        "", description="With ssh://: file with the server's keys, as `ssh-keyscan` gives them."
    )
    status_token_file: File = Field(
        "",
        description="File with a token that may set commit statuses; empty: none are set.",
    )
    ca_file: File = Field(
        "",
        description="File of the certificates that vouch for the server; what images trust if "
        "empty.",
    )
