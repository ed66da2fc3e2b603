"""People, as their browsers speak to the site: with cookies, and as pages of the site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.support.site import PASSWORD, Answer, Site, fetch

FORM = "application/x-www-form-urlencoded"


@dataclass
class Person:
    """A browser, its cookies by name whatever their path: the site has no two of a name here."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one request as a page of the site would, and keep the cookies of the answer."""
        sent = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-XSRFToken": self.cookies.get("_xsrf", ""),
            "Origin": self.site.url,
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "cors",
            **(headers or {}),
        }
        answer = fetch(self.site, path, method=method, headers=sent, body=body)
        for line in answer.cookies:
            for name, cookie in SimpleCookie(line).items():
                self.cookies[name] = cookie.value
        return answer

    def open(self, path: str) -> Answer:
        """Open a page, and follow where it leads."""
        page = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
        for _ in range(10):
            answer = self.ask("GET", path, headers=page)
            if answer.status not in (301, 302, 303):
                return answer
            target = urlsplit(answer.headers["Location"])
            path = target.path + (f"?{target.query}" if target.query else "")
        raise AssertionError(f"{path}: leads on and on")


def logged_in(site: Site, name: str) -> Person:
    """A person who has logged in at the hub, and come through the gate."""
    person = Person(site)
    person.open("/hub/login")
    form = {"username": name, "password": PASSWORD, "_xsrf": person.cookies["_xsrf"]}
    answer = person.ask("POST", "/hub/login", urlencode(form).encode(), {"Content-Type": FORM})
    assert answer.status == 302, answer
    person.open("/hub/home")
    assert person.open("/mlflow/version").status == 200
    return person
