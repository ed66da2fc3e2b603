"""People who are kept elsewhere. What directories and providers say is made up here; real ones
are asked in tests/stack/test_ldap.py and tests/browser/test_oauth.py."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from jupyterhub import orm
from ldap3.core.exceptions import LDAPException
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from tornado.web import HTTPError
from traitlets.config import Config

from notehive.errors import BadInput
from notehive.hub import config as hub_config_module
from notehive.hub.groups import follow, members_by_settings
from notehive.hub.identity import ExpiredError, Identity, UnreachableError
from notehive.hub.login_server import PASSWORD, update_login_server
from notehive.hub.providers import directory, ldap_port, provider
from notehive.platform import identity, stack
from notehive.settings import parse
from tests.support import certificates
from tests.unit.conftest import hub_config

T = TypeVar("T")
LDAP = "server: ldap.example.com, user_base: 'ou=people', group_base: 'ou=groups'"
CLIENT = "client_id: us, client_secret_file: /etc/secret"
OIDC = f"url: https://login.example.com, {CLIENT}"


def settings(kind: str, told: str) -> str:
    """The text of a settings file with this section of auth."""
    groups = "groups: {risk: {members: [mara]}, lab: {}}\nadmins: [boss]\n"
    return f"{groups}auth: {{kind: {kind}, {kind}: {{{told}}}}}"


@pytest.fixture
def db() -> Iterator[Session]:
    # LDAP is asked in threads; this has one connection for all of them.
    engine = create_engine(
        "sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool
    )
    orm.Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([orm.Group(name="risk"), orm.Group(name="lab"), orm.User(name="ana")])
        db.commit()
        yield db


Make = Callable[..., Any]


@pytest.fixture
def make(db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make the authenticator that the hub has with these settings."""
    monkeypatch.setattr(hub_config_module, "SECRETS", tmp_path)
    (tmp_path / "hub-state").write_text("0" * 64)
    (tmp_path / "login-password").write_text("password-of-ours\n")

    def make(kind: str, told: str, ca: str = "") -> Identity:
        c = Config()
        config = hub_config(settings(kind, told)).model_copy(update={"login_ca": ca})
        assert config.auth.server is not None
        c.Authenticator.admin_users = set(config.admins)
        update_login_server(c, config, config.auth.server, members_by_settings(config))
        made: Identity = c.JupyterHub.authenticator_class(config=c, _deprecated_db_session=db)
        return made

    return make


class Person:
    """A stand-in for JupyterHub's wrapper of a user, which keeps the state without encryption."""

    def __init__(self, db: Session, name: str = "ana") -> None:
        self.db = db
        self.name = name
        self.orm_user = db.query(orm.User).filter_by(name=name).one()
        self.state: dict[str, Any] | None = None
        self._auth_refreshed: float | None = None

    async def get_auth_state(self) -> dict[str, Any] | None:
        return self.state

    async def save_auth_state(self, state: dict[str, Any] | None) -> None:
        self.state = state

    @property
    def groups(self) -> list[str]:
        return sorted(group.name for group in self.orm_user.groups)


def said(*groups: str, subject: str = "1") -> dict[str, Any]:
    """What a server says of a person."""
    return {"subject": subject, "groups": [[group] for group in groups]}


def run(awaitable: Awaitable[T]) -> T:
    async def wait() -> T:
        return await awaitable

    return asyncio.run(wait())


def refusal(call: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(HTTPError) as raised:
        answer = call(*args)
        if asyncio.iscoroutine(answer):
            run(answer)
    assert raised.value.status_code == 403
    return str(raised.value.log_message)


# Settings


@pytest.mark.parametrize(
    ("kind", "told", "message"),
    [
        ("ldap", "user_base: 'ou=x'", "auth.ldap.server: is missing; add it"),
        ("ldap", "server: 'ldaps://x', user_base: x", "auth.ldap.server: write the name alone"),
        ("ldap", "server: x", "auth.ldap: needs user_base, where users are, or user_dn"),
        ("ldap", "server: x, user_dn: 'uid=ana'", "auth.ldap.user_dn: needs {username} once, like"),
        (
            "ldap",
            f"{LDAP}, user_dn: 'uid={{username}}', bind_dn: x, bind_password_file: y",
            "auth.ldap.user_dn: is instead of looking users up",
        ),
        ("ldap", f"{LDAP}, bind_dn: x", "auth.ldap.bind_dn: and bind_password_file belong toge"),
        (
            "ldap",
            "server: x, user_base: x, allowed_groups: [a]",
            "auth.ldap: names groups, but not where they are; add group_base",
        ),
        ("ldap", f"{LDAP}, tls: yes please", 'auth.ldap.tls: should be "start", "on" or "off"'),
        ("ldap", f"{LDAP}, user_filter: a=b", "auth.ldap.user_filter: write it with its brack"),
        (
            "ldap",
            f"{LDAP}, group_map: {{x: fraud}}",
            "auth.ldap.group_map.x: 'fraud' is not defined in groups:; defined are risk, lab",
        ),
        ("oauth", "url: https://x", "auth.oauth.client_id: is missing; add it"),
        ("oauth", CLIENT, "auth.oauth: needs url:, the address of your provider"),
        ("oauth", f"{CLIENT}, url: 'http://x'", "auth.oauth.url: write it like https://gitlab"),
        (
            "oauth",
            f"{CLIENT}, provider: github",
            "auth.oauth: would let anybody in the world in; add allowed_groups or allowed_users",
        ),
        (
            "oauth",
            f"{CLIENT}, provider: google",
            "auth.oauth: would let anybody in the world in; add allowed_domains or allowed_users",
        ),
        (
            "oauth",
            f"{CLIENT}, provider: google, allowed_groups: [a]",
            "auth.oauth: names groups, and Google tells none",
        ),
        (
            "oauth",
            f"{OIDC}, allowed_domains: [x]",
            "auth.oauth.allowed_domains: is for provider: google; remove it",
        ),
    ],
)
def test_mistakes(kind: str, told: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse(settings(kind, told))
    assert str(raised.value).startswith(f"settings.yml:3: {message}")


def test_a_section_for_another_kind_is_a_mistake() -> None:
    with pytest.raises(BadInput) as raised:
        parse(f"auth: {{ldap: {{{LDAP}}}}}")
    assert "auth.ldap: is for kind: ldap; set that, or remove this" in str(raised.value)


@pytest.mark.parametrize(
    ("tls", "port"), [("start", 389), ("on", 636), ("'on'", 636), ("off", 389)]
)
def test_yaml_has_its_own_idea_of_on_and_off(tls: str, port: int) -> None:
    found = parse(settings("ldap", f"{LDAP}, tls: {tls}")).auth.ldap
    assert found is not None
    assert (found.tls, ldap_port(found)) == (tls.strip("'"), port)


# What is usual where


def test_directories() -> None:
    def attribute(told: str) -> str:
        found = parse(settings("ldap", told)).auth.ldap
        assert found is not None
        return directory(found).user_attribute

    assert attribute(LDAP) == "uid"
    assert attribute(f"{LDAP}, kind: active-directory") == "sAMAccountName"
    assert attribute(f"{LDAP}, kind: active-directory, user_attribute: mail") == "mail"


@pytest.mark.parametrize(
    ("told", "url", "scopes", "claim"),
    [
        (OIDC, "https://login.example.com", "openid profile email", "preferred_username"),
        (
            f"provider: gitlab, url: https://git.example.com/, {CLIENT}",
            *("https://git.example.com", "openid profile email", "preferred_username"),
        ),
        (
            f"provider: gitlab, allowed_groups: [a], {CLIENT}",
            *("https://gitlab.com", "openid profile email", "preferred_username"),
        ),
        (
            f"provider: google, allowed_domains: [a], {CLIENT}",
            *("https://accounts.google.com", "openid email", "email"),
        ),
        (
            f"provider: github, allowed_groups: [a], {CLIENT}",
            *("https://github.com", "read:org", "login"),
        ),
        (
            f"{OIDC}, scopes: [openid, offline_access], username_claim: nickname",
            *("https://login.example.com", "openid offline_access", "nickname"),
        ),
    ],
)
def test_providers(make: Make, told: str, url: str, scopes: str, claim: str) -> None:
    made = make("oauth", told)
    assert made.usual.url == url
    assert made.scope == scopes.split()
    assert made.usual.username_claim == claim
    assert made.oauth_callback_url == "http://notehive.localhost/hub/oauth_callback"
    assert made.client_secret == "password-of-ours"


@pytest.mark.parametrize(
    ("url", "authorize", "user"),
    [
        ("", "https://github.com/login/oauth/authorize", "https://api.github.com/user"),
        (
            "url: https://git.example.com,",
            "https://git.example.com/login/oauth/authorize",
            "https://git.example.com/api/v3/user",
        ),
    ],
)
def test_addresses_of_github(make: Make, url: str, authorize: str, user: str) -> None:
    made = make("oauth", f"provider: github, {url} allowed_groups: [a], {CLIENT}")
    assert (made.authorize_url, made.userdata_url) == (authorize, user)


def test_groups_of_github(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make("oauth", f"provider: github, allowed_groups: ['acme:Data'], {CLIENT}")
    answers = {
        "https://api.github.com/user/orgs?per_page=100": [{"login": "acme"}],
        "https://api.github.com/user/teams?per_page=100": [
            {"slug": "data", "organization": {"login": "acme"}}
        ],
    }

    async def answer(url: str, *token: str) -> Any:
        assert token == ("t", "bearer")
        return answers[url]

    monkeypatch.setattr(made, "_paginated_fetch", answer)
    token = {"access_token": "t", "token_type": "bearer"}
    assert run(made.groups({}, {"token_response": token})) == [["acme"], ["acme:data"]]


def test_a_provider_describes_itself_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make("oauth", OIDC)
    asked: list[str] = []
    about: dict[str, str] = {}

    async def answer(url: str) -> Any:
        asked.append(url)
        return about

    monkeypatch.setattr(made, "httpfetch", answer)
    with pytest.raises(UnreachableError):
        run(made.discover())
    about |= {f"{key}_endpoint": f"https://x/{key}" for key in ("authorization", "token")}
    about["userinfo_endpoint"] = "https://x/me"
    run(made.discover())
    run(made.discover())
    assert asked == ["https://login.example.com/.well-known/openid-configuration"] * 2
    assert made.authorize_url == "https://x/authorization"
    assert (made.token_url, made.userdata_url) == ("https://x/token", "https://x/me")


# Names


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "Ana"}, "ana"),
        ({"preferred_username": "ana@example.com"}, "ana@example.com"),
        ({"preferred_username": "ana@example.org"}, "ana@example.org"),
        ({"preferred_username": "\uff21na"}, "ana"),
    ],
)
def test_the_name_that_a_provider_vouches_for(
    make: Make, claims: dict[str, Any], name: str
) -> None:
    assert make("oauth", OIDC).user_info_to_username(claims) == name


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({}, "The provider does not tell your preferred_username."),
        ({"preferred_username": ""}, "The provider does not tell your preferred_username."),
        ({"preferred_username": 7}, "The provider does not tell your preferred_username."),
        ({"preferred_username": ["ana"]}, "The provider does not tell your preferred_username."),
        ({"preferred_username": "ana b"}, "You cannot be ana b here. A user name has"),
        ({"preferred_username": " ana"}, "You cannot be  ana here. A user name begins"),
        ({"preferred_username": "ana\u200b"}, "You cannot be ana\u200b here. A user name has"),
        ({"preferred_username": "../ana"}, "You cannot be ../ana here. A user name begins"),
    ],
)
def test_names_that_nobody_gets(make: Make, claims: dict[str, Any], message: str) -> None:
    made = make("oauth", OIDC)
    assert refusal(made.user_info_to_username, claims).startswith(message)


def test_an_address_counts_when_its_mail_has_arrived(make: Make) -> None:
    made = make("oauth", f"provider: google, allowed_domains: [example.com], {CLIENT}")
    email = {"email": "Ana@Example.com"}
    assert made.user_info_to_username({**email, "email_verified": True}) == "ana@example.com"
    for claims in (email, {**email, "email_verified": False}, {**email, "email_verified": "no"}):
        message = refusal(made.user_info_to_username, claims)
        assert message == "The provider has not verified your address Ana@Example.com."


@pytest.mark.parametrize(
    ("domain", "is_let_in"), [("example.com", True), ("x.org", False), ("", False)]
)
def test_only_accounts_of_the_organization(make: Make, domain: str, is_let_in: bool) -> None:
    made = make("oauth", f"provider: google, allowed_domains: [example.com], {CLIENT}")
    claims = {"sub": 1, "hd": domain}
    model = {"name": "ana", "auth_state": {made.user_auth_state_key: claims}}
    if is_let_in:
        assert run(made.update_auth_model(model))["auth_state"] == {"subject": "1", "groups": []}
    else:
        message = refusal(made.update_auth_model, model)
        assert message == "Log in with an account of example.com."


@pytest.mark.parametrize(
    ("typed", "there", "is_the_same"),
    [
        ("ana", ["Ana"], True),
        ("strasse", ["Stra\u00dfe"], True),  # one spelling of ours, and of LDAP's
        ("jose", ["Jos\u00e9"], False),  # Active Directory finds him; he is not jose
        ("ana", ["ana "], False),
        ("ana", [], False),
        ("ana", ["eva"], False),
    ],
)
def test_a_directory_finds_more_than_the_name(
    make: Make, typed: str, there: list[str], is_the_same: bool
) -> None:
    found = {"names": there, "subject": "1", "groups": []}
    assert (make("ldap", LDAP)._said_of(typed, found) is not None) is is_the_same


# Groups


@pytest.mark.parametrize(
    ("kind", "told", "there", "here"),
    [
        ("ldap", LDAP, [["cn=Risk,ou=groups", "Risk"]], {"risk"}),
        ("ldap", LDAP, [["cn=x,ou=risk", "x"]], set()),
        ("ldap", f"{LDAP}, group_map: {{'CN=x, OU=groups': lab}}", [["cn=x,ou=groups"]], {"lab"}),
        # What is mapped is that and nothing else, and what is mapped to is no other's.
        ("ldap", f"{LDAP}, group_map: {{x: lab}}", [["cn=lab", "lab"]], set()),
        ("ldap", f"{LDAP}, group_map: {{risk: lab}}", [["cn=risk", "risk"]], {"lab"}),
        ("oauth", OIDC, [["risk"], ["lab"], ["other"]], {"risk", "lab"}),
        ("oauth", OIDC, [["Risk"]], set()),
        # Anybody can make a group of that name there.
        ("oauth", f"provider: gitlab, url: https://x, {CLIENT}", [["risk"]], set()),
        (
            "oauth",
            f"provider: gitlab, url: https://x, group_map: {{acme/risk: risk}}, {CLIENT}",
            [["risk"], ["acme/risk"]],
            {"risk"},
        ),
    ],
)
def test_groups_there_and_here(
    make: Make, kind: str, told: str, there: list[list[str]], here: set[str]
) -> None:
    assert make(kind, told).ours(there) == here


def test_a_claim_inside_a_claim(make: Make) -> None:
    made = make("oauth", f"{OIDC}, groups_claim: realm_access.roles")
    claims: dict[str, Any] = {"realm_access": {"roles": ["risk", 7]}}
    assert run(made.groups(claims, {})) == [["risk"]]
    for nothing in ({}, {"realm_access": None}, {"realm_access": {"roles": None}}):
        assert run(made.groups(nothing, {})) == []


def test_groups_come_and_go_with_the_directory(db: Session) -> None:
    ana = Person(db)
    risk, lab = (db.query(orm.Group).filter_by(name=name).one() for name in ("risk", "lab"))
    ana.orm_user.groups.append(lab)  # by hand
    given = follow(db, ana.orm_user, {"risk", "lab"}, (), {})
    assert (given, ana.groups) == (["risk"], ["lab", "risk"])
    given = follow(db, ana.orm_user, set(), given, {"risk": ["ana"]})
    assert (given, ana.groups) == ([], ["lab", "risk"]), "the settings name her"
    given = follow(db, ana.orm_user, set(), ["risk"], {})
    assert (given, ana.groups) == ([], ["lab"])
    assert risk.users == []


# Who may come, and who is who


@pytest.mark.parametrize(
    ("told", "name", "groups", "may"),
    [
        ("", "ana", [], True),
        ("allowed_users: [eva]", "ana", [], False),
        ("allowed_users: [eva]", "eva", [], True),
        ("allowed_users: [eva]", "boss", [], True),
        ("allowed_groups: [staff]", "ana", ["x"], False),
        ("allowed_groups: [staff]", "ana", ["Staff"], True),
        ("allowed_groups: [staff], admin_groups: [bosses]", "ana", ["bosses"], True),
        ("admin_groups: [bosses]", "ana", [], True),
    ],
)
def test_who_may_come(make: Make, told: str, name: str, groups: list[str], may: bool) -> None:
    made = make("ldap", f"{LDAP}, {told}")
    model = {"name": name, "auth_state": said(*groups)}
    if may:
        assert made.check_allowed(name, model)
    else:
        message = refusal(made.check_allowed, name, model)
        assert message.startswith(f"You may not log in here as {name}: ask")


def test_a_name_does_not_become_anothers(make: Make, db: Session) -> None:
    made, ana = make("ldap", LDAP), Person(db)
    run(made._admit(ana, said("risk")))
    run(made._admit(ana, said("risk")))
    with pytest.raises(HTTPError) as raised:
        run(made._admit(ana, said("lab", subject="2")))
    assert "has belonged to another person" in str(raised.value)
    assert ana.groups == ["risk"]
    # Whoever chooses another directory believes that one.
    other = make("ldap", LDAP.replace("ldap.", "new."))
    run(other._admit(ana, said("lab", subject="2")))
    assert ana.state is not None and ana.state["subject"] == "2"


def test_the_right_to_administer_goes_with_the_group_that_gave_it(make: Make, db: Session) -> None:
    made, ana = make("ldap", f"{LDAP}, admin_groups: [bosses]"), Person(db)
    assert run(made._admit(ana, said()))["admin"] is None, "given by hand, it stays"
    assert run(made._admit(ana, said("bosses")))["admin"] is True
    assert run(made._admit(ana, said()))["admin"] is False
    assert run(made._admit(ana, said()))["admin"] is None


class Answers:
    """A stand-in for what a server says about a user, and how often it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    async def __call__(self, user: Any, handler: Any) -> Any:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "goes_on", "keeps_session"),
    [
        (said("risk"), True, True),
        (UnreachableError(), True, True),
        (ExpiredError(), False, False),
        (None, False, False),
        (said(), False, False),  # no longer in an allowed group
        (said("risk", subject="2"), False, False),
        (HTTPError(403, "not verified any more"), False, False),
    ],
)
def test_what_becomes_of_a_user(
    make: Make,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    goes_on: bool,
    keeps_session: bool,
) -> None:
    made, ana = make("ldap", f"{LDAP}, allowed_groups: [risk]"), Person(db)
    run(made._admit(ana, said("risk")))
    cookie = ana.orm_user.cookie_id
    monkeypatch.setattr(made, "ask_about", Answers(answer))
    assert bool(run(made.refresh_user(ana, SimpleNamespace()))) is goes_on
    assert (ana.orm_user.cookie_id == cookie) is keeps_session


@pytest.mark.parametrize(("session_id", "goes_on"), [(None, True), ("a browser's", False)])
def test_a_program_goes_on_where_a_person_has_to_log_in_again(
    make: Make,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    session_id: str | None,
    goes_on: bool,
) -> None:
    made, ana = make("oauth", OIDC), Person(db)
    monkeypatch.setattr(made, "ask_about", Answers(ExpiredError()))
    token = SimpleNamespace(session_id=session_id)
    request = SimpleNamespace(_token_authenticated=True, get_token=lambda: token)
    assert run(made.refresh_user(ana, request)) is goes_on


def test_requests_at_once_ask_once(
    make: Make, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider's token for asking again is good for one question."""
    made, ana = make("ldap", LDAP), Person(db)
    answers = Answers(said("risk"))
    monkeypatch.setattr(made, "ask_about", answers)

    async def request() -> None:
        assert await made.refresh_user(ana, SimpleNamespace())
        ana._auth_refreshed = time.monotonic()  # as JupyterHub does

    async def requests() -> None:
        await asyncio.gather(*(request() for _ in range(5)))

    asyncio.run(requests())
    assert answers.asked == 1


# The directory's own dangers


def test_no_password_is_asked_of_nobody(make: Make) -> None:
    """The directory would take it for a visit without a name. This one would not even answer."""
    made = make("ldap", LDAP.replace("ldap.example.com", "192.0.2.1"))
    assert made.get_connection("uid=ana,ou=people", "") is None
    for login in ({}, {"username": "ana"}, {"username": "ana", "password": ""}, "ana", None):
        message = refusal(made.authenticate, None, login)
        assert message == "Give your user name and your password."


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates.make(folder, "127.0.0.1")
    return folder


@pytest.fixture
def greeter(papers: Path) -> Iterator[SimpleNamespace]:
    """A stand-in for a directory, which greets with TLS, says a given thing first, and no more."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(papers / "server.crt", papers / "server.key")
    listener = socket.create_server(("127.0.0.1", 0))
    told = SimpleNamespace(port=listener.getsockname()[1], first=b"", heard=b"")

    def greet() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                if told.first:
                    told.heard = connection.recv(100)
                    connection.sendall(told.first)
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    yield told
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def test_an_unknown_certificate_is_not_believed(
    make: Make, greeter: SimpleNamespace, papers: Path
) -> None:
    def said_by(ca: str) -> str:
        told = f"server: 127.0.0.1, port: {greeter.port}, tls: on, user_base: x"
        made = make("ldap", told, ca)
        made._opened.connections = {}
        with pytest.raises(LDAPException) as raised:
            made.get_connection(None, None)
        return str(raised.value)

    assert "CERTIFICATE_VERIFY_FAILED" in said_by("")
    # Believed, it says nothing more, which is an error too, but another.
    assert "CERTIFICATE_VERIFY_FAILED" not in said_by((papers / "ca.crt").read_text())


# What `up` does with it


def test_files_that_the_settings_name(tmp_path: Path) -> None:
    empty, secret = tmp_path / "empty", tmp_path / "secret"
    empty.write_text("\n")
    secret.write_text("s3cret\n")

    def read(path: str) -> str:
        told = f"url: https://x, client_id: us, client_secret_file: {path}"
        return identity.secret(parse(settings("oauth", told)).auth)

    assert read(str(secret)) == "s3cret"
    for path, message in ((empty, "is empty"), ("/no/such", "No such file or directory")):
        with pytest.raises(BadInput) as raised:
            read(str(path))
        assert str(raised.value) == f"auth.oauth.client_secret_file: {path}: {message}"
    with pytest.raises(BadInput, match="holds no certificate in PEM form"):
        identity.certificates(parse(settings("oauth", f"{OIDC}, ca_file: {secret}")).auth)
    assert identity.secret(parse("").auth) == identity.certificates(parse("").auth) == ""


def test_the_secret_is_the_hubs_alone_and_only_where_it_is_needed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    with_secret = settings("oauth", f"url: https://x, client_id: us, client_secret_file: {secret}")
    for text, holders in (("", []), (settings("ldap", LDAP), []), (with_secret, ["hub"])):
        wanted = stack.wanted(parse(text))
        found = [
            name
            for name, service in wanted["services"].items()
            if any(each["source"] == PASSWORD for each in service.get("secrets", ()))
        ]
        assert found == holders
        assert (PASSWORD in wanted["secrets"]) is bool(holders)


@pytest.mark.parametrize(
    ("told", "first", "message"),
    [
        ("tls: on, ca_file: {ca}", b"", ""),
        ("tls: on", b"", "its certificate is not trusted ("),
        ("ca_file: {ca}", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", ""),
        ("ca_file: {ca}", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00", "does not"),
        ("tls: off", b"", ""),
        ("port: 1", b"", "Connection refused; check server: and port:, and that it runs"),
    ],
)
def test_a_directory_is_tried(
    greeter: SimpleNamespace, papers: Path, told: str, first: bytes, message: str
) -> None:
    greeter.first = first
    port = "" if "port" in told else f"port: {greeter.port}, "
    text = f"server: 127.0.0.1, user_base: x, {port}{told.format(ca=papers / 'ca.crt')}"
    if not message:
        assert identity.require_usable(parse(settings("ldap", text))).startswith("LDAP, 127")
        assert greeter.heard == (identity.START_TLS if first else b"")
        return
    with pytest.raises(BadInput) as raised:
        identity.require_usable(parse(settings("ldap", text)))
    assert message in str(raised.value)


def test_accounts_of_its_own_need_no_other() -> None:
    assert identity.require_usable(parse("")) == "accounts of its own"


def test_what_is_usual_can_be_said_otherwise() -> None:
    told = parse(settings("oauth", f"{OIDC}, title: Example Inc., groups_claim: roles")).auth.oauth
    assert told is not None
    assert (provider(told).title, provider(told).groups_claim) == ("Example Inc.", "roles")
