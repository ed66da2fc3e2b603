"""The section `notify`: who is told when something is wrong."""

from pydantic import Field

from notehive.settings.values import File, Host, Mirror
from notehive.typed_yaml.section import Section


class Email(Section):
    """Messages by e-mail."""

    to: list[str] = Field(min_length=1, description="Addresses that they go to.")
    sender: str = Field(description="The address that they come from.")
    server: Host = Field(description="The mail server.")
    port: int = Field(
        587, ge=1, le=65535, description="Its port; at 465 TLS comes first, else by STARTTLS."
    )
    tls: bool = Field(True, description="Whether it must speak TLS.")
    user: str = Field("", description="The account there, if it asks for one.")
    password_file: File = Field("", description="File with the password of that account.")


class Notify(Section):
    """Who is told of alerts, and of their end. All that are set are told."""

    email: Email | None = Field(None, description="By e-mail.")
    chat: Mirror = Field(
        "",
        description="Address of a chat's incoming webhook, as Slack, Mattermost and Rocket.Chat "
        "have it.",
    )
    webhook: Mirror = Field(
        "", description="Address of a program of yours, which gets them as Alertmanager's JSON."
    )

    @property
    def anybody(self) -> bool:
        """Whether there is somebody to tell."""
        return bool(self.email or self.chat or self.webhook)
