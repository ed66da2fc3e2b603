"""Bodies of services before the guard: what the hub builds passes, what is more does not.

What the guard lets through is judged as the engine would read it, both as it came and as it is
sent on. Most bodies are found by hypothesis, from what the hub builds, from a list of attacks,
and freely.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from notehive.guard import hub
from notehive.guard.calls import Asked
from notehive.guard.engine import Answer, EngineError
from notehive.guard.refused import RefusedError
from notehive.guard.services import CreateService
from notehive.guard.strict import parse_json
from tests.support import bodies

CASES = list(bodies.legitimate())
RUNNER = asyncio.Runner()
# No example is kept, and one that fails is made smaller: it is shown with what is wrong with it.
MANY = settings(
    max_examples=7000,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Secrets:
    """An engine that has secrets and nothing else."""

    def __init__(self, user: str, server: str) -> None:
        self.found = bodies.secrets(user, server)

    async def ask(self, method: str, path: str) -> Answer:
        """Look one up, by id or by the beginning of one, as the engine does."""
        assert (method, path.rpartition("/")[0]) == ("GET", "/v1.41/secrets")
        for identity, secret in self.found.items():
            if identity.startswith(path.rpartition("/")[2]):
                return Answer(200, secret)
        raise EngineError(404, "secret not found")


class Before:
    """The guard of one case's site, its user and server."""

    def __init__(self, case: int) -> None:
        told, self.user, self.server, self.body = CASES[case]
        self.nfs = bool(told.storage.nfs)
        rules = hub.rules(told)
        self.call = CreateService("/services/create", rules)
        self.engine: Any = Secrets(self.user, self.server)

    def send(self, raw: bytes) -> Any:
        """Give the body that the guard sends on; raises RefusedError or EngineError."""
        asked = Asked(version="/v1.41", name="", filters={}, body=parse_json(raw))
        return RUNNER.run(self.call.approve(self.engine, asked))

    def wrong(self, raw: bytes) -> str:
        """What is wrong with a body, as the engine reads it."""
        read = bodies.as_engine_reads(raw)
        return bodies.wrong(read, self.user, self.server, nfs=self.nfs)

    def judge(self, raw: bytes) -> bool:
        """Say whether the guard lets a body through; fail if it should not."""
        try:
            sent = self.send(raw)
        except (RefusedError, EngineError):
            return False
        assert self.wrong(raw) == "", raw
        assert self.wrong(json.dumps(sent).encode()) == "", raw
        return True


GUARDS = [Before(case) for case in range(len(CASES))]


def without_nothing(value: Any) -> Any:
    """A body without the keys that say nothing."""
    if isinstance(value, dict):
        found = {k: without_nothing(v) for k, v in value.items() if v is not None}
        return {k: v for k, v in found.items() if (k, v) != ("NoCopy", False)}
    return [without_nothing(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", range(len(CASES)))
def test_what_the_hub_builds_passes_whole(case: int) -> None:
    before = GUARDS[case]
    raw = json.dumps(before.body).encode()
    assert before.wrong(raw) == "", "or the judge is too strict"
    sent = without_nothing(before.send(raw))
    wanted = without_nothing(before.body)
    for mount in sent["TaskTemplate"]["ContainerSpec"]["Mounts"]:
        mount.setdefault("Source", None)
    for mount in wanted["TaskTemplate"]["ContainerSpec"]["Mounts"]:
        mount.setdefault("Source", None)
    assert sent == wanted


@pytest.mark.parametrize("attack", bodies.ATTACKS, ids=str)
def test_no_attack_passes(attack: tuple[bodies.Path, Any]) -> None:
    for before in (GUARDS[0], GUARDS[-1]):  # on local storage and NFS, a small and a large server
        raw = json.dumps(bodies.spoiled(before.body, *attack)).encode()
        assert before.wrong(raw), "or the judge is blind"
        with pytest.raises((RefusedError, EngineError)):
            before.send(raw)


@pytest.mark.parametrize("change", bodies.HARMLESS, ids=str)
def test_what_is_harmless_passes(change: tuple[bodies.Path, Any]) -> None:
    for before in (GUARDS[0], GUARDS[-1]):
        raw = json.dumps(bodies.spoiled(before.body, *change)).encode()
        assert before.judge(raw), before.send(raw)


def test_no_key_is_read_in_another_spelling() -> None:
    before = GUARDS[-1]
    for at in bodies.places(before.body):
        if not at or not isinstance(at[-1], str):
            continue
        for key in bodies.respelled(at[-1]):
            if key != at[-1] and key not in {"options", "labels"}:
                raw = json.dumps(bodies.spoiled(before.body, (*at[:-1], key), None)).encode()
                assert not before.judge(raw) or at[-2] in ("Labels", "Sysctls"), raw


def test_no_place_takes_junk() -> None:
    """Every place of two bodies, every kind of junk: what passes is harmless."""
    passed = 0
    for before in (GUARDS[0], GUARDS[-1]):
        for at in bodies.places(before.body):
            for junk in bodies.JUNK:
                passed += before.judge(json.dumps(bodies.spoiled(before.body, at, junk)).encode())
    assert passed, "an empty list of arguments is harmless, for one"


KEYS = sorted(
    {key for body in CASES for at in bodies.places(body[-1]) for key in at if isinstance(key, str)}
    | {key for at, _ in bodies.ATTACKS for key in at if isinstance(key, str)}
    | {"Config", "BindOptions", "Global", "Privileged", "Aliases", "Templating", "Driver"}
)
VALUES = [*bodies.JUNK, *(value for _, value in bodies.ATTACKS)]
# Made once: each is a large thing to hypothesis.
ANY_CASE = st.integers(0, len(CASES) - 1)
ANY_KEY = st.sampled_from(KEYS)
ONE_VALUE = st.sampled_from(VALUES)
PLACES = [st.sampled_from(list(bodies.places(body[-1]))) for body in CASES]
KNOWN = st.sampled_from([*bodies.ATTACKS, *bodies.HARMLESS * 4])
TIMES, KINDS = st.integers(1, 3), st.integers(0, 3)


@st.composite
def changed_bodies(draw: st.DrawFn) -> tuple[int, bytes]:
    """A legitimate body with one to three changes: harmless ones, attacks, or junk anywhere."""
    case = draw(ANY_CASE)
    body: Any = CASES[case][-1]
    for _ in range(draw(TIMES)):
        kind = draw(KINDS)
        if kind > 1:
            at, value = draw(KNOWN)
        else:
            at, value = draw(PLACES[case]), draw(ONE_VALUE)
            at = (*at, draw(ANY_KEY)) if kind else at
        with suppress(AttributeError, IndexError, KeyError, TypeError):
            # An earlier change may have taken the place away.
            body = bodies.spoiled(body, at, value)
    raw = json.dumps(body)
    if draw(KINDS) == draw(KINDS) == 0:  # a key twice: the engine takes the last
        key, value = draw(ANY_KEY), draw(ONE_VALUE)
        raw = f"{raw[:-1]}, {json.dumps(key)}: {json.dumps(value)}}}"
    return case, raw.encode()


ANY_VALUE = st.recursive(
    ONE_VALUE,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ANY_KEY, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def free_bodies(draw: st.DrawFn) -> tuple[int, bytes]:
    """A body of parts that are made freely, or kept from a legitimate one."""
    case = draw(ANY_CASE)
    body = dict(CASES[case][-1])
    container = dict(body["TaskTemplate"]["ContainerSpec"])
    task = {**body["TaskTemplate"], "ContainerSpec": container}
    body["TaskTemplate"] = task
    for _ in range(draw(TIMES)):
        part = (body, task, container, container)[draw(KINDS)]
        part[draw(ANY_KEY)] = draw(ANY_VALUE)
    return case, json.dumps(body).encode()


@MANY
@given(changed_bodies())
def test_no_changed_body_does_harm(made: tuple[int, bytes]) -> None:
    case, raw = made
    GUARDS[case].judge(raw)


@settings(MANY, max_examples=3000)
@given(free_bodies())
def test_no_free_body_does_harm(made: tuple[int, bytes]) -> None:
    case, raw = made
    GUARDS[case].judge(raw)


@settings(MANY, max_examples=200)
@given(
    user=st.text(min_size=1, max_size=64),
    name=st.text(max_size=20),
    case=st.booleans(),
    groups=st.sets(st.sampled_from(["risk", "open", "everyone"])),
    size=st.sampled_from(["small", "large"]),
)
def test_every_server_of_the_hub_passes(
    user: str, name: str, case: bool, groups: set[str], size: str
) -> None:
    told = bodies.config(nfs=case)
    body = bodies.server(told, user=user, name=name, size=size, groups=frozenset(groups))
    engine: Any = Secrets(user, name)
    asked = Asked("/v1.41", "", {}, parse_json(json.dumps(body).encode()))
    call = CreateService("/services/create", hub.rules(told))
    assert RUNNER.run(call.approve(engine, asked))["Name"] == body["Name"]
