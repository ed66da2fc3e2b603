"""The operator's command, as a program: what it says, where, and its exit code."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notehive import cli, docker, naming, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform import accounts, down, nodes, retire, services, status, up
from notehive.settings import describe

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run ``notehive ARGS`` in this process; give exit code, standard output and error."""
    file = tmp_path / "settings.yml"
    file.write_text("name: nh\nurl: http://x\n")
    monkeypatch.delenv("NOTEHIVE_TRACEBACK", raising=False)
    monkeypatch.setattr(cli.console, "_width", 200)
    monkeypatch.setattr(cli, "locked", lambda name: open(os.devnull))  # noqa: SIM115, PTH123

    def run(*args: str, settings: Path = file) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["notehive", "--settings", str(settings), *args])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


def raising(error: BaseException) -> Callable[..., Any]:
    """A stand-in for what fails."""

    def stand_in(*args: object, **options: object) -> None:
        raise error

    return stand_in


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotehiveError("hub: it is down"), 1, "notehive: hub: it is down\n"),
        (BadInput("port 80 is taken"), 2, "notehive: port 80 is taken\n"),
        (BadInput("a line\nof the log\nthe build failed"), 2, "notehive: the build failed\n"),
        (KeyboardInterrupt(), 130, "notehive: interrupted; `./notehive up` goes on from here\n"),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "up", raising(error))
    ended, out, err = run("up")
    assert ended == code
    assert out == ""
    assert err.endswith(said)
    assert "Traceback" not in err
    if "of the log" in str(error):
        assert err.startswith("  a line\n  of the log\n")


def test_a_traceback_on_request(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEHIVE_TRACEBACK", "1")
    monkeypatch.setattr(up, "check", raising(BadInput("port 80 is taken")))
    with pytest.raises(BadInput, match="port 80"):
        run("check")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["settings", "authh"], "notehive: authh: no such section of the settings; sections are"),
        (["user", "add"], "Missing argument"),
        (["logs", "hub", "--tail", "0"], "Invalid value for '--tail'"),
        (["no-such-verb"], "No such command 'no-such-verb'"),
    ],
)
def test_bad_input(args: list[str], said: str, run: Run) -> None:
    code, _, err = run(*args)
    assert code == 2
    assert said in re.sub(r"\x1b\[[0-9;]*m", "", err)


def test_bad_settings_stop_every_verb_but_help(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("nmae: x")
    for args in (["up"], ["check"], ["down"], ["status"], ["user", "list"], ["settings"]):
        code, _, err = run(*args, settings=bad)
        assert (code, err) == (2, f"notehive: {bad}:1: nmae: unknown key; did you mean name?\n")
    code, out, _ = run("up", "--help", settings=bad)
    assert code == 0
    assert "--patch" in out


def test_settings_are_explained(run: Run) -> None:
    code, out, _ = run("settings")
    assert code == 0
    for key, _, text in describe():
        assert re.search(rf"^ *{re.escape(key)} .*{re.escape(text[:40])}", out, re.M), key


def test_one_section(run: Run) -> None:
    _, out, _ = run("settings", "auth")
    keys = [line.split()[0] for line in out.splitlines()[1:]]
    assert keys == [key for key, _, _ in describe() if key.split(".")[0] == "auth"]


def test_as_a_program(tmp_path: Path) -> None:
    """Its output goes into a pipe 80 columns wide, as far as it knows."""
    file = tmp_path / "settings.yml"
    file.write_text("name: nh\n")
    done = subprocess.run(
        [sys.executable, "-m", "notehive.cli", "settings"],
        capture_output=True,
        text=True,
        env={
            **{key: value for key, value in os.environ.items() if key != "COLUMNS"},
            "PYTHONPATH": ":".join(sys.path),
            "NOTEHIVE_SETTINGS": str(file),
        },
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {"auth.lock_out.minutes", "sizes.NAME.guarantee.memory"} <= set(done.stdout.split())


def test_up_shows_the_password_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = iter([up.Login("boss", "correct-[red]-horse"), None])
    monkeypatch.setattr(up, "up", lambda *args, **options: next(logins))
    code, out, _ = run("up")
    assert code == 0
    assert "nh is at http://x\n" in out
    assert "correct-[red]-horse" in out
    assert "Password" not in run("up")[1]


def test_purge_asks_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    downs: list[bool] = []
    monkeypatch.setattr(down, "down", lambda name, steps, *, purge: downs.append(purge))
    for typed, code in (("n\n", 1), ("", 1), ("y\n", 0)):
        read, write = os.pipe()
        os.write(write, typed.encode())
        os.close(write)
        with os.fdopen(read) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert run("down", "--purge")[0] == code
    assert run("down")[0] == run("down", "--purge", "--yes")[0] == 0
    assert downs == [True, False, True]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the stand-in for the hub's tool was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(name: str, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        assert name == "nh"
        asked.append((verb, request))
        given = request.get("password")
        return {"name": request["name"].lower(), "password": "" if given else "made-[b]-up"}

    monkeypatch.setattr(accounts, "ask", ask)
    return asked


def test_user_add(run: Run, asked: list[tuple[str, dict[str, Any]]]) -> None:
    code, out, _ = run("user", "add", "Ana", "--group", "a", "--group", "b", "--admin")
    assert code == 0
    assert "ana: the password is made-[b]-up" in out
    assert asked == [
        ("user-add", {"name": "Ana", "groups": ["a", "b"], "admin": True, "password": None})
    ]


@pytest.mark.parametrize("typed", ["a secret with spaces \n", "a secret with spaces "])
def test_password_stdin(
    typed: str,
    run: Run,
    asked: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "in").write_text(typed)
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code, out, _ = run("user", "passwd", "ana", "--password-stdin")
    assert code == 0
    assert asked[0][1]["password"] == "a secret with spaces "
    assert "secret" not in out


def test_password_stdin_without_one(
    run: Run, asked: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code, _, err = run("user", "add", "ana", "--password-stdin")
    assert code == 2
    assert "standard input is empty" in err
    assert asked == []


def test_user_remove_names_the_home_that_stays(
    run: Run, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    """In whichever spelling the user is named."""
    _, out, _ = run("user", "remove", "ANA")
    assert f"the home stays in the storage, {naming.home('ana')}\n" in out


def test_logs_of_a_service_or_a_user(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[list[str]] = []
    there = {"nh_hub", naming.server_service("nh", "ana")}

    def spec(name: str) -> dict[str, Any]:
        return {"Spec": {"Name": name}}

    monkeypatch.setattr(docker, "client", lambda: "docker")
    monkeypatch.setattr(
        docker, "inspect", lambda kind, *names: [spec(n) for n in names if n in there]
    )
    monkeypatch.setattr(services, "listed", lambda name: [spec("nh_hub"), spec("nh_gate")])

    def attach(args: list[str]) -> int:
        shown.append(args)
        return 0

    monkeypatch.setattr(shell, "attach", attach)
    monkeypatch.setattr(docker, "containers", lambda service, ended: [f"of-{service}", "old"])
    assert run("logs", "--follow", "hub")[0] == 0
    assert run("logs", "--follow", "Ana", "-n", "7")[0] == 0
    assert [args[-1] for args in shown] == ["of-nh_hub", f"of-{naming.server_service('nh', 'ana')}"]

    def said(args: list[str]) -> shell.Result:
        """A stand-in for two tasks, one after the other, each on both streams."""
        if args[-1] == "old":
            return shell.Result(0, "2026-01-01 one\n", "2026-01-02 two\n")
        return shell.Result(0, "2026-01-04 four\n", "2026-01-03 three\n")

    monkeypatch.setattr(shell, "run", said)
    assert run("logs", "hub", "-n", "3")[1].split("\n")[:-1] == [
        "2026-01-02 two",
        "2026-01-03 three",
        "2026-01-04 four",
    ]
    code, _, err = run("logs", "bob")
    assert code == 2
    assert err == (
        "notehive: bob: neither a service nor a user with a running server; "
        "services are gate, hub\n"
    )


STATUS: dict[str, Any] = {
    "name": "nh",
    "url": "http://x",
    "services": [
        {
            "name": "hub",
            "running": 0,
            "desired": 1,
            "memory": 3 * 1024**2,
            "image": "127.0.0.1:5000/notehive/hub:0123",
            "why": "Failed",
        }
    ],
    "servers": [
        {"user": "a[b]", "server": "", "image": "base", "size": "small", "memory": 5 * 1024**2}
    ],
    "nodes": [
        {
            "name": "n1",
            "state": "ready",
            "role": "manager",
            "images": {"base": "present", "gpu": "pulling"},
            "present": 1,
            "data": True,
        }
    ],
    "homes": [{"user": "a[b]", "home": "a-b-0123456789", "used": 2 * 1024**3, "quota": 0}],
    "storage": {"free": 9 * 1024**3},
    "memory": 3 * 1024**2,
    "images": {"hub": 200 * 1024**2},
    "left_out": "x: cannot be pulled",
    "wrong": ["hub: 0 of 1 run: Failed [x]"],
}


def test_status(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "status", lambda settings: STATUS)
    code, out, _ = run("status")
    assert code == 1
    assert re.search(r"hub +0/1 +3M +hub:0123 200M", out)
    assert "server of a[b] : base, small, 5M" in out
    assert "node n1: ready, manager, 1 of 2 notebook images, keeps the data" in out
    assert "hub: 0 of 1 run: Failed [x]" in out
    assert "Jenkins is left out: x: cannot be pulled" in out
    code, out, _ = run("status", "--json")
    assert (code, json.loads(out)) == (0, STATUS)


@pytest.mark.parametrize(
    ("desired", "why", "said"),
    [
        (1, "", []),
        (1, "Failed", ["hub: 0 of 1 run: Failed"]),
        (0, "", ["hub: is stopped, as while secrets are renewed; `./notehive up` starts it"]),
    ],
)
def test_what_is_wrong_with_a_service(desired: int, why: str, said: list[str]) -> None:
    hub = {"name": "hub", "running": 0, "desired": desired, "why": why}
    assert status.wrong([hub], []) == said


def node(name: str, **more: Any) -> nodes.Node:
    """A worker with nothing on it."""
    given: dict[str, Any] = {
        "id": f"id-{name}",
        "name": name,
        "address": "10.0.0.8",
        "state": "ready",
        "availability": "active",
        "role": "worker",
        "data": False,
        "cpu": 8.0,
        "memory": 32 * 1024**3,
        "reserved_cpu": 1.5,
        "reserved_memory": 6 * 1024**3,
        "servers": [],
        "images": {"base": nodes.PRESENT, "gpu": nodes.PULLING},
        "forwarder": nodes.RUNNING,
        "wall": nodes.RUNNING,
        "known": True,
    }
    return nodes.Node(**{**given, **more})


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three nodes; what is done to them is noted. To every question the answer is no."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    listed = [
        node("first", data=True, role="manager"),
        node("second", servers=["ana", "ben"], availability="drain"),
        node("third"),
    ]
    done: list[str] = []

    def drain(node: nodes.Node, say: object) -> None:
        done.append(f"drain {node.name}")

    def remove(node: nodes.Node, say: object) -> None:
        done.append(f"remove {node.name}")

    def set_availability(node: nodes.Node, availability: str) -> None:
        done.append(f"{availability} {node.name}")

    monkeypatch.setattr(nodes, "look", lambda stack: listed)
    for stand_in in (drain, remove, set_availability):
        monkeypatch.setattr(retire, stand_in.__name__, stand_in)
    return done


@pytest.mark.usefixtures("machines")
def test_nodes_are_listed(run: Run) -> None:
    _, out, _ = run("node", "list")
    assert re.search(r"first +ready +manager +10\.0\.0\.8 +1\.5/8 +6G/32G +0 +1/2 +here", out)
    assert re.search(r"second +ready, drain +worker +10\.0\.0\.8 +1\.5/8 +6G/32G +2 +1/2", out)


@pytest.mark.parametrize(
    ("args", "code", "said", "did"),
    [
        (["drain", "third"], 0, "no user's server ends", ["drain third"]),
        (["drain", "id-third"], 0, "./notehive node drain --undo id-third", ["drain third"]),
        (["drain", "second"], 1, "the servers of ana, ben end", []),
        (["drain", "second", "--yes"], 0, "the servers of ana, ben end", ["drain second"]),
        (["drain", "second", "--undo"], 0, "second: is used again", ["active second"]),
        (["drain", "first", "--yes"], 2, "notehive: first: keeps the data of nh", []),
        (["drain", "none"], 2, "none: no such node; there are first, second, third", []),
        (["remove", "second"], 2, "`./notehive node drain second` first, or add --yes", []),
        (["remove", "second", "--yes"], 0, "docker swarm leave", ["remove second"]),
        (["remove", "first"], 2, "notehive: first: keeps the data of nh", []),
    ],
)
def test_nodes_are_taken_out_of_service(
    args: list[str], code: int, said: str, did: list[str], run: Run, machines: list[str]
) -> None:
    ended, out, err = run("node", *args)
    assert (ended, machines) == (code, did)
    assert said in " ".join((out + err).split())


def test_all_is_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "status", lambda settings: {**STATUS, "wrong": []})
    assert run("status")[0] == 0


def test_the_settings_file_can_be_named_by_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTEHIVE_SETTINGS", str(tmp_path / "nowhere.yml"))
    monkeypatch.setattr(sys, "argv", ["notehive", "settings"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
