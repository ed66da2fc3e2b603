"""People who log in with a real OpenID provider, in a container beside the site."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SECONDS
from tests.support import certificates
from tests.support.site import Site, changed, docker, wait_for

pytestmark = pytest.mark.changes_site

PORT = 13443
PROVIDER = "notehive-test-provider"
DOCKERFILE = """
FROM {base}
RUN install-debian nodejs npm
WORKDIR /srv
RUN npm install --no-audit --no-fund oidc-provider@9.13.3
COPY provider.mjs /srv/
CMD ["node", "/srv/provider.mjs"]
"""
PEOPLE = {
    "1001": {"preferred_username": "olaf", "groups": ["risk", "Laboratory", "cooks"]},
    "1002": {"preferred_username": "Orla", "groups": ["risk"]},
    "1003": {"preferred_username": "otto", "groups": ["cooks"]},
    "1004": {"preferred_username": "o t t o", "groups": ["risk"]},
    "1005": {"preferred_username": "olaf", "groups": ["risk"]},  # another, of the same name
}


class Provider:
    """The provider, and who it knows."""

    def __init__(self, folder: Path, issuer: str) -> None:
        self.folder = folder
        self.issuer = issuer
        self.know(PEOPLE)

    def know(self, people: dict[str, dict[str, Any]]) -> None:
        """Know these people from now on, by their subjects."""
        (self.folder / "people.json").write_text(json.dumps(people))


@pytest.fixture(scope="module")
def provider(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider that runs; its certificates are in its folder."""
    context, folder = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("provider")
    base = site.notehive("image", "base").stdout.strip()
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base))
    script = Path(__file__).with_name("provider.mjs")
    (context / "provider.mjs").write_text(script.read_text())
    docker("build", "--quiet", "--tag", PROVIDER, str(context))
    address = docker("node", "inspect", "self", "--format", "{{.Status.Addr}}")
    folder.chmod(0o755)
    certificates.make(folder, address)
    (folder / "secret").write_text("secret-of-the-client\n")
    found = Provider(folder, f"https://{address}:{PORT}")
    client = {
        "client_id": "workbench",
        "client_secret": "secret-of-the-client",
        "redirect_uris": [f"{site.url}/hub/oauth_callback"],
        "post_logout_redirect_uris": [f"{site.url}/hub/login"],
    }
    told = {"issuer": found.issuer, "port": PORT, "client": client}
    (folder / "provider.json").write_text(json.dumps(told))
    docker("rm", "--force", PROVIDER, check=False)  # of a run that was ended
    docker(
        *("run", "--detach", "--name", PROVIDER, "--network=host"),
        *("--volume", f"{folder}:/test:ro", PROVIDER),
    )
    wait_for("the provider", lambda: "ready" in docker("logs", PROVIDER))
    yield found
    docker("rm", "--force", PROVIDER)


@pytest.fixture(scope="module")
def oauth(site: Site, provider: Provider) -> Iterator[Site]:
    """The site, with the provider's people."""
    settings = {
        "url": provider.issuer,
        "title": "Example Inc.",
        "client_id": "workbench",
        "client_secret_file": str(provider.folder / "secret"),
        "ca_file": str(provider.folder / "ca.crt"),
        "scopes": ["openid", "profile", "groups"],
        "allowed_groups": ["risk"],
        "group_map": {"Laboratory": "lab"},
        "end_session": True,
        "refresh": 5,
    }
    groups: dict[str, Any] = {"lab": {}, "risk": {}, "cooks": {}}
    with changed(site, auth={"kind": "oauth", "oauth": settings}, groups=groups):
        yield site


@pytest.fixture
def page(browser: Browser, oauth: Site, provider: Provider) -> Iterator[Page]:
    """A browser that has not been here before, and does not know who vouches for the provider."""
    with browser.new_context(base_url=oauth.url, ignore_https_errors=True) as context:
        context.set_default_timeout(60 * SECONDS)
        yield context.new_page()
    provider.know(PEOPLE)
    for name in ("olaf", "orla", "otto"):
        oauth.notehive("user", "remove", name, check=False)


def log_in(page: Page, subject: str) -> None:
    """Log in with the provider, as a person does."""
    page.goto("/hub/login")
    page.get_by_role("button", name="Sign in with Example Inc.").click()
    answer_provider(page, subject)


def answer_provider(page: Page, subject: str) -> None:
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()


def known(site: Site, name: str) -> str:
    """What the operator sees of a user."""
    lines = site.notehive("user", "list").stdout.splitlines()
    return next((" ".join(line.split()[:3]) for line in lines if line.split()[0] == name), "")


def test_one_login_opens_every_page(oauth: Site, page: Page) -> None:
    log_in(page, "1001")
    expect(page.get_by_role("heading", name="Start a server")).to_be_visible()
    expect(page.locator(".nh-user")).to_have_text("olaf")
    page.goto("/mlflow/")
    expect(page.get_by_text("Experiments").first).to_be_visible()
    assert known(oauth, "olaf") == "olaf cooks, lab,"


def test_one_out_and_another_in(oauth: Site, page: Page) -> None:
    """The provider's session ends as well; else the second would come in as the first."""
    log_in(page, "1001")
    page.goto("/hub/home")
    page.get_by_role("button", name="Logout").click()
    page.get_by_role("button", name="Yes, sign me out").click()  # the provider asks
    page.wait_for_url(lambda url: url.startswith(oauth.url))
    page.goto("/mlflow/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("button", name="Sign in with Example Inc.").click()
    answer_provider(page, "1002")
    expect(page.get_by_text("Experiments").first).to_be_visible()
    page.goto("/hub/home")
    expect(page.locator(".nh-user")).to_have_text("orla")


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("1003", "You may not log in here as otto"),
        ("1004", "You cannot be o t t o here. A user name has letters, digits"),
    ],
)
def test_who_may_not_come_is_told(page: Page, subject: str, message: str) -> None:
    log_in(page, subject)
    expect(page.get_by_text(message)).to_be_visible()


def test_who_changes_their_mind_is_told(page: Page) -> None:
    page.goto("/hub/login")
    page.get_by_role("button", name="Sign in with Example Inc.").click()
    page.get_by_role("link", name=re.compile("Cancel")).click()
    expect(page.get_by_text("End-User aborted interaction")).to_be_visible()


def test_a_name_does_not_become_anothers(browser: Browser, oauth: Site, page: Page) -> None:
    log_in(page, "1001")
    expect(page.locator(".nh-user")).to_have_text("olaf")
    with browser.new_context(base_url=oauth.url, ignore_https_errors=True) as other:
        desk = other.new_page()
        log_in(desk, "1005")
        expect(desk.get_by_text("The name olaf has belonged to another person")).to_be_visible()
        desk.goto("/hub/home")
        expect(desk.get_by_role("heading", name="Sign in")).to_be_visible()


def test_groups_follow_the_provider(oauth: Site, page: Page, provider: Provider) -> None:
    log_in(page, "1001")
    expect(page.locator(".nh-user")).to_have_text("olaf")
    provider.know({**PEOPLE, "1001": {"preferred_username": "olaf", "groups": ["risk"]}})

    def lost() -> bool:
        page.goto("/hub/home")
        return known(oauth, "olaf").startswith("olaf risk ")

    wait_for("the loss of two groups", lost, 30)
    expect(page.locator(".nh-user")).to_have_text("olaf")


def test_whom_the_provider_no_longer_knows_is_out(page: Page, provider: Provider) -> None:
    log_in(page, "1001")
    page.goto("/mlflow/")
    expect(page.get_by_text("Experiments").first).to_be_visible()
    provider.know({key: claims for key, claims in PEOPLE.items() if key != "1001"})

    def refused(path: str) -> bool:
        page.goto(path)
        return "/hub/login" in page.url

    wait_for("the end at the gate", lambda: refused("/mlflow/"), 30)
    assert refused("/hub/home")


def test_the_secret_is_a_secret(oauth: Site) -> None:
    told = oauth.exec("hub", "cat", "/etc/notehive/hub.json")
    service = docker("service", "inspect", f"{oauth.name}_hub")
    assert "secret-of-the-client" not in told + service


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"ca_file": ""}, "certificate verify failed"),
        ({"url": "{issuer}/elsewhere"}, "no OpenID provider is there (answer 404)"),
        ({"client_secret_file": "/no/such/file"}, "auth.oauth.client_secret_file: /no/such/file"),
    ],
)
def test_check_says_why_a_provider_cannot_be_used(
    oauth: Site, provider: Provider, told: dict[str, str], message: str, tmp_path: Path
) -> None:
    changed_to = {key: value.format(issuer=provider.issuer) for key, value in told.items()}
    settings = oauth.settings["auth"]["oauth"] | changed_to
    other = Site(tmp_path, {**oauth.settings, "auth": {"kind": "oauth", "oauth": settings}})
    done = other.notehive("check", check=False)
    assert done.returncode == 2
    assert message in done.stderr
