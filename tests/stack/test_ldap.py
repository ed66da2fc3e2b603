"""People who log in with a directory: Debian's OpenLDAP, in a container beside the site."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import certificates
from tests.support.hub import User, call, quoted
from tests.support.site import Answer, Site, changed, docker, fetch, run, wait_for

pytestmark = pytest.mark.changes_site

PORT, TLS_PORT = 11389, 11636
SERVER = "notehive-test-ldap"
DOCKERFILE = "FROM {base}\nRUN install-debian slapd ldap-utils\n"
# Passwords only by TLS. Whoever has logged in sees their own entry; the rest is for the account
# that looks people up. A bind without a password succeeds, as nobody.
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile /test/server.crt
TLSCertificateKeyFile /test/server.key
security simple_bind=128
localSSF 128
allow bind_anon_dn
database mdb
suffix "dc=example,dc=org"
rootdn "cn=root,dc=example,dc=org"
rootpw of-the-test
directory /var/lib/ldap
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=lookup,dc=example,dc=org" read by self read by * none
"""
ENTRIES = """
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=lookup,dc=example,dc=org
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: lookup
userPassword: password-of-lookup

{people}
dn: cn=Staff,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: Staff
member: uid=lana,ou=people,dc=example,dc=org
member: uid=Lutz,ou=people,dc=example,dc=org
member: uid=leni,ou=people,dc=example,dc=org
member: uid=lola,ou=people,dc=example,dc=org

dn: cn=risk,ou=groups,dc=example,dc=org
objectClass: groupOfUniqueNames
cn: risk
uniqueMember: uid=lana,ou=people,dc=example,dc=org

dn: cn=Laboratory,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: Laboratory
gidNumber: 5000
memberUid: lana

dn: cn=Bosses,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: Bosses
member: uid=leni,ou=people,dc=example,dc=org
"""
PERSON = """dn: uid={name},ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
userPassword: {password}
"""


def password_of(name: str) -> str:
    return f"password-of-{name.lower()}"


def person(name: str) -> str:
    return PERSON.format(name=name, password=password_of(name))


@pytest.fixture(scope="module")
def address() -> str:
    """Where containers reach this machine."""
    return docker("node", "inspect", "self", "--format", "{{.Status.Addr}}")


@pytest.fixture(scope="module")
def directory(site: Site, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with people and groups, which runs; its certificates are in this folder."""
    base = site.notehive("image", "base").stdout.strip()
    docker("build", "--quiet", "--tag", SERVER, "-", stdin=DOCKERFILE.format(base=base))
    folder = tmp_path_factory.mktemp("ldap")
    folder.chmod(0o755)
    certificates.make(folder, address)
    people = "\n".join(map(person, ["lana", "Lutz", "leni", "lola", "lars"]))
    (folder / "slapd.conf").write_text(CONFIGURATION)
    (folder / "entries.ldif").write_text(ENTRIES.format(people=people))
    (folder / "password").write_text("password-of-lookup\n")
    listen = f"ldap://:{PORT} ldaps://:{TLS_PORT} ldapi:///"
    start = (
        "rm -rf /etc/ldap/slapd.d /var/lib/ldap/* && mkdir -p /run/slapd && "
        "slapadd -f /test/slapd.conf -l /test/entries.ldif && "
        f"exec slapd -d 0 -f /test/slapd.conf -h '{listen}'"
    )
    docker("rm", "--force", SERVER, check=False)  # of a run that was ended
    docker(
        *("run", "--detach", "--name", SERVER, "--network=host", "--volume", f"{folder}:/test:ro"),
        *(SERVER, "sh", "-c", start),
    )
    wait_for("the directory", lambda: "dn:" in ask("ldapsearch", "-b", "dc=example,dc=org"))
    yield folder
    docker("rm", "--force", SERVER)


def ask(program: str, *args: str, stdin: str = "") -> str:
    """Run a client of the directory as its administrator; give what it said."""
    login = ("-H", "ldapi:///", "-x", "-D", "cn=root,dc=example,dc=org", "-w", "of-the-test")
    return docker("exec", "-i", SERVER, program, *login, *args, stdin=stdin, check=False)


def change(dn: str, *lines: str) -> None:
    text = "\n".join([f"dn: {dn},dc=example,dc=org", "changetype: modify", *lines, ""])
    assert "modifying entry" in ask("ldapmodify", stdin=text)


@pytest.fixture(scope="module")
def settings(directory: Path, address: str) -> dict[str, Any]:
    """auth.ldap of the settings."""
    return {
        "server": address,
        "port": PORT,
        "ca_file": str(directory / "ca.crt"),
        "bind_dn": "cn=lookup,dc=example,dc=org",
        "bind_password_file": str(directory / "password"),
        "user_base": "ou=people,dc=example,dc=org",
        "group_base": "ou=groups,dc=example,dc=org",
        "allowed_groups": ["Staff"],
        "admin_groups": ["Bosses"],
        "group_map": {"CN=Laboratory, OU=groups, DC=example, DC=org": "lab"},
        "refresh": 5,
    }


@pytest.fixture(scope="module")
def ldap(site: Site, settings: dict[str, Any]) -> Iterator[Site]:
    """The site, with the directory's people."""
    groups: dict[str, Any] = {"lab": {}, "risk": {}, "chess": {}}
    with changed(site, auth={"kind": "ldap", "ldap": settings}, groups=groups):
        yield site


def log_in(site: Site, name: str, password: str | None = None) -> Answer:
    """Ask for a token with a password, which is a login."""
    given = password_of(name) if password is None else password
    body = {"auth": {"username": name, "password": given}, "note": "test"}
    return call(site, "POST", f"/users/{quoted(name.lower())}/tokens", body)


def form(site: Site, name: str, password: str) -> str:
    """Give what the login page says to a login."""
    page = fetch(site, "/hub/login")
    cookies = "; ".join(cookie.split(";")[0] for cookie in page.cookies)
    xsrf = page.body.split(b'name="_xsrf" value="')[1].split(b'"')[0].decode()
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    body = f"_xsrf={quoted(xsrf)}&username={quoted(name)}&password={quoted(password)}"
    answer = fetch(site, "/hub/login", method="POST", headers=headers, body=body.encode())
    if answer.status == 302:
        return "logged in"
    return answer.body.decode().partition('class="login_error">')[2].partition("<")[0]


@contextmanager
def user(site: Site, name: str) -> Iterator[User]:
    """A person of the directory who has logged in; unknown to the hub afterwards."""
    answer = log_in(site, name)
    assert answer.status == 201, answer
    try:
        yield User(site, json.loads(answer.body)["user"], json.loads(answer.body)["token"])
    finally:
        site.notehive("user", "remove", name, check=False)


def groups(who: User) -> list[str]:
    return sorted(who.ask("GET", "/user")["groups"])


def test_who_logs_in_has_the_groups_of_the_directory(ldap: Site) -> None:
    """One by member and name, one by memberUid and the map; of ours that it lacks, none."""
    with user(ldap, "lana") as lana:
        assert groups(lana) == ["lab", "risk"]
        assert not lana.ask("GET", "/user")["admin"]
    with user(ldap, "leni") as leni:
        assert groups(leni) == []


def test_upper_and_lower_case_are_one_user(ldap: Site) -> None:
    with user(ldap, "LUTZ") as lutz:  # Lutz in the directory
        assert lutz.name == "lutz"
        assert form(ldap, "Lutz", password_of("lutz")) == "logged in"
        listed = ldap.notehive("user", "list").stdout
        assert [line.split()[0] for line in listed.splitlines() if "utz" in line] == ["lutz"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("lana", "wrong"),
        ("lana", " "),
        ("lana", password_of("leni")),
        ("nobody-there", "wrong"),
        ("*", password_of("lana")),
        ("l*a", password_of("lana")),
        ("lana)(uid=*", password_of("lana")),
        ("*)(uid=lana))(|(uid=*", password_of("lana")),
        ("lana,ou=people", password_of("lana")),
        ("la\u00adna", password_of("lana")),
    ],
)
def test_what_does_not_let_in(ldap: Site, name: str, password: str) -> None:
    assert form(ldap, name, password) == "Wrong user name or password."


def test_no_password_is_no_login(ldap: Site) -> None:
    """The directory itself takes it for a visit without a name, and lets it in."""
    dn = "uid=lana,ou=people,dc=example,dc=org"
    said = docker(
        *("exec", "-e", "LDAPTLS_REQCERT=never", SERVER),
        *("ldapwhoami", "-H", f"ldaps://127.0.0.1:{TLS_PORT}", "-x", "-D", dn, "-w", ""),
    )
    assert said == "anonymous"
    assert form(ldap, "lana", "") == "Give your user name and your password."
    assert log_in(ldap, "lana", "").status == 403


def test_failed_logins_lock(ldap: Site) -> None:
    for _ in range(4):
        assert form(ldap, "lola", "wrong") == "Wrong user name or password."
    locked = "Too many failed logins: locked, try again in 10 minutes."
    assert form(ldap, "lola", "wrong") == locked
    assert form(ldap, "lola", password_of("lola")) == locked


def test_who_is_in_no_allowed_group_stays_outside(ldap: Site) -> None:
    assert form(ldap, "lars", password_of("lars")).startswith("You may not log in here as lars")
    assert "lars" not in ldap.notehive("user", "list").stdout


def test_administrators_of_the_directory(ldap: Site) -> None:
    assert form(ldap, "leni", password_of("leni")) == "logged in"
    listed = ldap.notehive("user", "list").stdout
    assert "administrator" in next(line for line in listed.splitlines() if "leni" in line)


def test_groups_follow_the_directory(ldap: Site) -> None:
    """Within seconds, without another login; what an operator gave stays."""
    with user(ldap, "lana") as lana:
        ldap.notehive("user", "add", "lana", "--group", "chess")
        assert groups(lana) == ["chess", "lab", "risk"]
        change("cn=Laboratory,ou=groups", "delete: memberUid", "memberUid: lana")
        try:
            wait_for("the loss of a group", lambda: groups(lana) == ["chess", "risk"], 20)
        finally:
            change("cn=Laboratory,ou=groups", "add: memberUid", "memberUid: lana")
        wait_for("the group again", lambda: groups(lana) == ["chess", "lab", "risk"], 20)


def test_who_leaves_the_directory_is_out_and_nobody_inherits_the_name(ldap: Site) -> None:
    def status(path: str) -> int:
        return fetch(ldap, path, headers={"Authorization": f"Bearer {lutz.token}"}).status

    with user(ldap, "lutz") as lutz:
        assert status("/mlflow/version") == 200
        ask("ldapdelete", "uid=Lutz,ou=people,dc=example,dc=org")
        wait_for("the end at the hub", lambda: status("/hub/api/user") == 403, 20)
        wait_for("the end at the gate", lambda: status("/mlflow/version") != 200, 20)
        # The next person of that name.
        assert "adding new entry" in ask("ldapadd", stdin=person("Lutz"))
        refused = "The name lutz has belonged to another person: ask your administrator."
        assert form(ldap, "lutz", password_of("lutz")) == refused
        assert status("/hub/api/user") == 403
        ldap.notehive("user", "remove", "lutz")
        assert form(ldap, "lutz", password_of("lutz")) == "logged in"


def test_what_the_command_line_says_of_people_kept_elsewhere(ldap: Site, address: str) -> None:
    refused = ldap.notehive("user", "passwd", "lana", check=False)
    assert refused.returncode == 2
    assert f"Passwords are kept by {address}: change it there." in refused.stderr
    refused = ldap.notehive("user", "add", "lana", "--password-stdin", stdin="x" * 12, check=False)
    assert refused.returncode == 2
    assert "Passwords are kept by" in refused.stderr
    assert "lana: done" in ldap.notehive("user", "add", "lana").stdout
    assert "lana" in ldap.notehive("user", "list").stdout
    removed = ldap.notehive("user", "remove", "lana").stdout
    assert f"{address} still knows the name" in removed
    assert fetch(ldap, "/hub/signup").status == 404


def test_a_directory_that_is_down_is_no_way_in_and_no_way_out(ldap: Site) -> None:
    with user(ldap, "lana") as lana:
        docker("pause", SERVER)
        try:
            with ThreadPoolExecutor() as threads:
                tried = threads.submit(form, ldap, "leni", password_of("leni"))
                assert fetch(ldap, "/hub/health").status == 200
                assert not tried.done(), "the hub answers others meanwhile"
            assert tried.result().startswith("Logins cannot be checked just now")
            assert groups(lana) == ["lab", "risk"]
        finally:
            docker("unpause", SERVER)


def test_the_password_is_a_secret(ldap: Site) -> None:
    told = ldap.exec("hub", "cat", "/etc/notehive/hub.json")
    service = docker("service", "inspect", f"{ldap.name}_hub")
    assert "password-of-lookup" not in told + service
    assert ldap.exec("hub", "cat", "/run/secrets/login-password") == "password-of-lookup"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"ca_file": ""}, "its certificate is not trusted"),
        ({"port": TLS_PORT}, "does not begin TLS; is `tls: on` what it has?"),
        ({"port": 1}, "Connection refused; check server: and port:"),
        ({"tls": "on"}, "no TLS ("),
        ({"bind_password_file": "/no/such/file"}, "auth.ldap.bind_password_file: /no/such/file"),
    ],
)
def test_check_says_why_a_directory_cannot_be_used(
    site: Site, settings: dict[str, Any], told: dict[str, Any], message: str, tmp_path: Path
) -> None:
    other = Site(tmp_path, {**site.settings, "auth": {"kind": "ldap", "ldap": settings | told}})
    done = other.notehive("check", check=False)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.long
def test_by_ldaps_and_without_an_account_that_looks_up(
    ldap: Site, settings: dict[str, Any]
) -> None:
    own = {key: settings[key] for key in ("server", "ca_file", "refresh")}
    own |= {"port": TLS_PORT, "tls": "on", "user_dn": "uid={username},ou=people,dc=example,dc=org"}
    with changed(ldap, auth={"kind": "ldap", "ldap": own}):
        assert form(ldap, "lars", password_of("lars")) == "logged in"
        assert form(ldap, "lana", "wrong") == "Wrong user name or password."
        assert form(ldap, "lana,ou=people", password_of("lana")).startswith("Wrong user name")
        names = run("docker", "secret", "ls", "--format", "{{.Name}}").stdout.split()
        assert not [name for name in names if name.startswith(f"{ldap.name}_login-")]
