import hashlib
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notehive.naming import home, server_service, slug
from notehive.usernames import PUNCTUATION

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
STACK = st.from_regex(r"[a-z0-9][a-z0-9-]{0,23}", fullmatch=True)
NAME = st.text(st.characters(categories=("L", "Nd", "M"), include_characters=PUNCTUATION))


@given(st.text())
@example("")
@example("-" * 60)
@example("日本")
@example("A\n/b")
def test_slug_is_a_short_dns_label(text: str) -> None:
    assert LABEL.fullmatch(slug(text))
    assert len(slug(text)) <= 35


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("Ana.B", "ana-b"),
        ("josé", "jose"),
        ("日本", "x"),
        ("..", "x"),
        ("a" * 64, "a" * 24),
        ("a" * 23 + "-b", "a" * 23),
    ],
)
def test_slug_is_readable_and_never_changes(text: str, readable: str) -> None:
    """Homes are found by it: another algorithm would lose them."""
    assert slug(text) == f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@given(st.lists(st.text(max_size=70), unique=True, max_size=50))
@example(["ana.b", "ana-b", "Ana-b", "ana_b", "aña-b", "ana-b-", "a" * 63, "a" * 64])
def test_no_two_texts_have_one_slug(texts: list[str]) -> None:
    assert len({slug(text) for text in texts}) == len(texts)


@given(STACK, NAME, st.text(max_size=255))
def test_a_service_fits_a_dns_label(stack: str, user: str, server: str) -> None:
    """Swarm refuses longer ones, and users' servers are found by this name."""
    name = server_service(stack, user, server)
    assert len(name) <= 63
    assert LABEL.fullmatch(name)


@given(st.lists(st.tuples(NAME, st.text(max_size=20)), unique=True, max_size=20))
@example([("ana", "b"), ("ana", ""), ("anab", ""), ("an", "ab"), ("ana-b", ""), ("ana", "/b")])
def test_no_two_servers_have_one_service(servers: list[tuple[str, str]]) -> None:
    assert len({server_service("nh", *server) for server in servers}) == len(servers)


def test_all_servers_of_a_user_have_one_home() -> None:
    assert home("ana") == f"homes/{slug('ana')}"
