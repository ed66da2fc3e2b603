"""What is usual at each kind of directory and provider; the settings can say otherwise."""

from typing import NamedTuple

from notehive.settings import Ldap, OAuth


class Provider(NamedTuple):
    """A provider of OAuth."""

    title: str
    url: str
    scopes: tuple[str, ...]
    username_claim: str
    groups_claim: str
    subject_claim: str  # what never changes, and never becomes another person's
    # Where everybody can make a group called like ours, only those in `group_map` count.
    groups_by_name: bool
    # What else its login page is told: Google gives a token for asking again to who asks for it.
    parameters: tuple[tuple[str, str], ...] = ()


OPENID = ("openid", "profile", "email")
PROVIDERS = {
    "oidc": Provider("single sign-on", "", OPENID, "preferred_username", "groups", "sub", True),
    "gitlab": Provider(
        "GitLab", "https://gitlab.com", OPENID, "preferred_username", "groups", "sub", False
    ),
    # GitHub speaks no OpenID Connect. Its groups are organizations and teams: `org`, `org:team`.
    "github": Provider("GitHub", "https://github.com", ("read:org",), "login", "", "id", False),
    # Google tells no groups.
    "google": Provider(
        "Google",
        "https://accounts.google.com",
        ("openid", "email"),
        "email",
        "",
        "sub",
        False,
        (("access_type", "offline"),),
    ),
}


class Directory(NamedTuple):
    """A kind of LDAP directory."""

    user_attribute: str
    user_filter: str
    group_filter: str
    subject_attribute: str


DIRECTORIES = {
    "openldap": Directory(
        "uid",
        "(objectClass=*)",
        "(|(member={dn})(uniqueMember={dn})(memberUid={name}))",
        "entryUUID",
    ),
    "active-directory": Directory(
        "sAMAccountName",
        # The rule is a bitwise and: bit 2 is a disabled account.
        "(&(objectCategory=person)(objectClass=user)"
        "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
        # The rule follows groups in groups.
        "(member:1.2.840.113556.1.4.1941:={dn})",
        "objectGUID",
    ),
}


def provider(oauth: OAuth) -> Provider:
    """Give what holds for this provider: what the settings say, else what is usual."""
    usual = PROVIDERS[oauth.provider]
    return usual._replace(
        title=title(oauth),
        url=oauth.url or usual.url,
        scopes=tuple(oauth.scopes) or usual.scopes,
        username_claim=oauth.username_claim or usual.username_claim,
        groups_claim=oauth.groups_claim or usual.groups_claim,
    )


def directory(ldap: Ldap) -> Directory:
    """Give what holds for this directory: what the settings say, else what is usual."""
    usual = DIRECTORIES[ldap.kind]
    return usual._replace(
        user_attribute=ldap.user_attribute or usual.user_attribute,
        user_filter=ldap.user_filter or usual.user_filter,
        group_filter=ldap.group_filter or usual.group_filter,
    )


def ldap_port(ldap: Ldap) -> int:
    """Give the port of the directory."""
    return ldap.port or (636 if ldap.tls == "on" else 389)


def title(server: Ldap | OAuth) -> str:
    """Give what people know the server by."""
    usual = PROVIDERS[server.provider].title if isinstance(server, OAuth) else server.server
    return server.title or usual
