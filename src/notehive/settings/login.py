"""The section `auth`: how people log in."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from notehive.settings.values import (
    Filter,
    Host,
    Name,
    SecureUrl,
    UserName,
    switch,
)
from notehive.typed_yaml.section import Section


class LockOut(Section):
    """When failed logins lock an account."""

    attempts: int = Field(5, ge=1, description="Failed logins in a row that lock an account.")
    minutes: int = Field(10, ge=1, description="How long it stays locked.")


class LoginServer(Section):
    """What a directory and an OAuth provider have in common: who may come, with which rights."""

    title: str = Field("", description="What the login page calls it.")
    ca_file: str = Field(
        "",
        description="File of the certificates that vouch for it; what images trust if empty.",
    )
    allowed_groups: list[str] = Field(
        default_factory=list,
        description="Its groups whose members may log in; with no allowed_users either, everybody.",
    )
    allowed_users: list[UserName] = Field(
        default_factory=list, description="Users who may log in, whatever groups they are in."
    )
    admin_groups: list[str] = Field(
        default_factory=list, description="Its groups whose members administer."
    )
    group_map: dict[str, Name] = Field(
        default_factory=dict,
        description="Its groups, each with the name of the group of `groups:` that it is.",
    )
    refresh: int = Field(
        60, ge=5, le=86400, description="Seconds after which it is asked about a user again."
    )

    @property
    def is_open(self) -> bool:
        """Whether everybody whom it knows may log in."""
        return not (self.allowed_groups or self.allowed_users)


class Ldap(LoginServer):
    """An LDAP directory: OpenLDAP, Active Directory or another."""

    kind: Literal["openldap", "active-directory"] = Field(
        "openldap", description="Whose names for things are the defaults below."
    )
    server: Host = Field(description="Name of the server.")
    port: int = Field(0, ge=0, le=65535, description="Its port; 0: 389, or 636 with `tls: on`.")
    tls: Annotated[Literal["start", "on", "off"], BeforeValidator(switch)] = Field(
        "start",
        description="`start`: TLS begins on the plain port (StartTLS); `on`: from the first byte; "
        "`off`: passwords cross the network readable.",
    )
    bind_dn: str = Field(
        "", description="Account that looks users up; without it they are looked up anonymously."
    )
    bind_password_file: str = Field("", description="File with the password of that account.")
    user_base: str = Field("", description="Where users are, like ou=people,dc=example,dc=com.")
    user_attribute: str = Field(
        "",
        pattern=r"^[A-Za-z][A-Za-z0-9;-]*$|^$",
        description="What they log in with; `uid`, or `sAMAccountName` of Active Directory.",
    )
    user_filter: Filter = Field(
        "", description="Which entries are users; all, of Active Directory persons not disabled."
    )
    user_dn: str = Field(
        "",
        description="Instead of looking users up: where each is, like "
        "uid={username},ou=people,dc=example,dc=com.",
    )
    group_base: str = Field("", description="Where groups are; empty: groups are not read.")
    group_filter: Filter = Field(
        "",
        description="The groups of the user {dn} with the name {name}; by member, uniqueMember or "
        "memberUid, of Active Directory by member, groups in groups included.",
    )


class OAuth(LoginServer):
    """A provider of OAuth: GitLab, GitHub, Google, or whoever speaks OpenID Connect."""

    provider: Literal["oidc", "gitlab", "github", "google"] = Field(
        "oidc", description="Which one; `oidc` is any that speaks OpenID Connect."
    )
    url: SecureUrl = Field(
        "", description="Its address (the issuer); the public one of GitLab, GitHub or Google."
    )
    client_id: str = Field(description="What it calls this workbench.")
    client_secret_file: str = Field(description="File with the secret that it gave for that.")
    scopes: list[str] = Field(
        default_factory=list, description="What is asked for; the provider's usual if empty."
    )
    username_claim: str = Field("", description="Claim that is the user's name here.")
    groups_claim: str = Field(
        "", description="Claim that lists the user's groups; a dot leads into a claim."
    )
    allowed_domains: list[str] = Field(
        default_factory=list,
        description="Of Google: the organizations whose accounts may log in, like example.com.",
    )
    end_session: bool = Field(
        False, description="Logging out here logs out there as well, where the provider offers it."
    )

    @property
    def is_public(self) -> bool:
        """Whether anybody in the world can have an account there."""
        return self.provider != "oidc" and not self.url


class Auth(Section):
    """How people log in."""

    kind: Literal["native", "ldap", "oauth"] = Field(
        "native",
        description="`native`: accounts kept by the hub itself; `ldap`, `oauth`: by a server of "
        "yours or a provider, see docs/login.md.",
    )
    sign_up: bool = Field(
        True,
        description="With `native`: people may ask for an account; an administrator approves.",
    )
    min_password_length: int = Field(
        10, ge=8, le=64, description="With `native`: the shortest password accepted."
    )
    lock_out: LockOut = Field(default_factory=LockOut, description="When failed logins lock.")
    ldap: Ldap | None = Field(None, description="With `ldap`: the directory.")
    oauth: OAuth | None = Field(None, description="With `oauth`: the provider.")

    @property
    def server(self) -> Ldap | OAuth | None:
        """What people log in with, if it is not the hub itself."""
        return self.ldap if self.kind == "ldap" else self.oauth if self.kind == "oauth" else None

    @property
    def password_file(self) -> tuple[str, str]:
        """Key and path of the file with what the hub shows to that server; no path for nothing."""
        if self.oauth:
            return "auth.oauth.client_secret_file", self.oauth.client_secret_file
        return "auth.ldap.bind_password_file", self.ldap.bind_password_file if self.ldap else ""

    @property
    def takes_sign_ups(self) -> bool:
        """Whether people may ask for an account here."""
        return self.kind == "native" and self.sign_up
