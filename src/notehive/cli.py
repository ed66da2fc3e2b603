"""The operator's command: verbs, no logic. An error is one line; the exit code says which kind."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from notehive import docker, naming, settings, shell
from notehive.errors import BadInput, NotehiveError
from notehive.hub import providers
from notehive.platform import (
    accounts,
    down,
    homes,
    join,
    machine,
    nodes,
    place,
    retire,
    services,
    stack,
    status,
    steps,
    up,
)
from notehive.platform import logs as service_logs
from notehive.platform.lock import locked
from notehive.settings import Settings, format_memory
from notehive.usernames import normalize_user_name

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A data-science workbench for a team, on Docker Swarm.",
)
users = typer.Typer(no_args_is_help=True, help="Accounts of people.")
app.add_typer(users, name="user")
secrets = typer.Typer(no_args_is_help=True, help="Passwords and tokens of the services.")
app.add_typer(secrets, name="secrets")
machines = typer.Typer(no_args_is_help=True, help="Machines of the Swarm.")
app.add_typer(machines, name="node")
console = Console()

INTERRUPTED = 130


@app.callback()
def common(
    context: typer.Context,
    file: Annotated[
        Path, typer.Option("--settings", envvar="NOTEHIVE_SETTINGS", help="The settings file.")
    ] = place.ROOT / "settings.yml",
) -> None:
    """Options before every verb."""
    context.obj = file


def _settings(context: typer.Context) -> Settings:
    return settings.load(context.obj)


@app.command("up")
def up_(
    context: typer.Context,
    patch: Annotated[
        bool, typer.Option("--patch", help="Renew the base image, and so every image built on it.")
    ] = False,
) -> None:
    """Install, apply a changed setting, upgrade: bring everything to what settings.yml says."""
    chosen = _settings(context)
    with locked(chosen.name):
        login = up.up(chosen, steps.Steps(console), patch=patch)
    console.print(f"\n[bold]{escape(chosen.name)}[/bold] is at {stack.site_url(chosen)}")
    if login:
        console.print(f"Administrator: [bold]{escape(login.name)}[/bold]")
        console.print(
            f"Password:      [bold]{escape(login.password)}[/bold]   (shown only this once)"
        )


@secrets.command("rotate")
def secrets_rotate(
    context: typer.Context,
    log_out: Annotated[
        bool,
        typer.Option("--log-out", help="Somebody else may know them: end all sessions as well."),
    ] = False,
) -> None:
    """Renew the passwords and tokens that `up` made. Servers run on; the hub pauses for seconds."""
    chosen = _settings(context)
    with locked(chosen.name):
        up.up(chosen, steps.Steps(console), renew_secrets=True, log_out=log_out)


@app.command()
def check(context: typer.Context) -> None:
    """Do the checks of `up`, and change nothing."""
    up.check(_settings(context), steps.Steps(console))


@app.command("down")
def down_(
    context: typer.Context,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete homes, models, database and secrets too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting data.")] = False,
) -> None:
    """Stop everything. All data is kept, and `up` continues with it."""
    chosen = _settings(context)
    if purge and not yes:
        typer.confirm(f"Delete all data of {chosen.name}, users' homes included?", abort=True)
    with locked(chosen.name):
        down.down(chosen.name, steps.Steps(console), purge=purge)


@app.command("status")
def status_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What runs, what it costs, and what is wrong."""
    found = status.status(_settings(context))
    if as_json:
        print(json.dumps(found, indent=1))
        return
    table = Table("service", "running", "memory", "image", box=None, header_style="dim")
    for service in found["services"]:
        image = service["image"].rpartition("/")[2]
        size = found["images"].get(image.partition(":")[0], 0)
        table.add_row(
            service["name"],
            f"{service['running']}/{service['desired']}",
            format_memory(service["memory"]),
            f"{image} [dim]{format_memory(size)}[/dim]",
        )
    console.print(table)
    console.print(f"\nplatform memory {format_memory(found['memory'])}; {found['url']}")
    for server in found["servers"]:
        console.print(
            f"server of {escape(server['user'])} {escape(server['server'])}: "
            f"{server['image']}, {server['size']}, {format_memory(server['memory'])}"
        )
    for line in homes.describe(found["homes"], found["storage"]["free"]):
        console.print(escape(line))
    for node in found["nodes"]:
        data = ", keeps the data" if node["data"] else ""
        console.print(
            f"node {node['name']}: {node['state']}, {node['role']}, "
            f"{node['present']} of {len(node['images'])} notebook images{data}"
        )
    if found["left_out"]:
        console.print(f"Jenkins is left out: {escape(found['left_out'])}")
    for sentence in found["wrong"]:
        console.print(f"[red]{escape(sentence)}[/red]")
    if found["wrong"]:
        raise typer.Exit(1)


@app.command()
def logs(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A service, like hub, or a user.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it comes.")] = False,
    tail: Annotated[int, typer.Option("--tail", "-n", min=1, help="How many lines.")] = 200,
) -> None:
    """Show the log of a service or of a user's server."""
    chosen = _settings(context)
    candidates = [
        f"{chosen.name}_{name}",
        naming.server_service(chosen.name, normalize_user_name(name)),
    ]
    found = docker.inspect("service", *candidates)
    if not found:
        known = [
            s["Spec"]["Name"].removeprefix(f"{chosen.name}_") for s in services.listed(chosen.name)
        ]
        raise BadInput(
            f"{name}: neither a service nor a user with a running server; "
            f"services are {', '.join(sorted(known)) or 'none'}"
        )
    service = found[0]["Spec"]["Name"]
    if follow:
        raise typer.Exit(shell.attach(service_logs.follow(service, tail)))
    for line in service_logs.lines(service, tail):
        print(line)


@app.command("image", hidden=True)
def image(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Images, by the name of their folder.")],
) -> None:
    """Build images, for developers; print their references."""
    chosen = _settings(context)
    shown = steps.Steps(Console(stderr=True))
    with shown.step("Docker engine") as step:
        step.say(machine.ensure_engine())
    workspace = place.Workspace.of(chosen.name)
    up.ensure_base(chosen, shown, workspace)
    references = up.build(chosen, shown, workspace, names)
    for name in names:
        print(references[name])


@app.command("settings")
def settings_(
    context: typer.Context,
    section: Annotated[str, typer.Argument(help="A part of them, like auth.")] = "",
) -> None:
    """Explain every setting, with its default."""
    _settings(context)
    rows = [
        row
        for row in settings.describe()
        if not section or row[0] == section or row[0].startswith(f"{section}.")
    ]
    if not rows:
        known = ", ".join(Settings.model_fields)
        raise BadInput(f"{section}: no such section of the settings; sections are {known}")
    # A long default is folded, and leaves the keys whole.
    columns = Column("setting", no_wrap=True), Column("default", overflow="fold")
    table = Table(*columns, "what it says", box=None, header_style="dim")
    for key, default, text in rows:
        table.add_row(escape(key), escape(default), escape(text))
    console.print(table)


def _password(from_stdin: bool) -> str | None:
    if not from_stdin:
        return None
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise BadInput("--password-stdin: standard input is empty; give one line with the password")
    return password


def _show_login(answer: dict[str, str]) -> None:
    if answer.get("password"):
        console.print(
            f"{escape(answer['name'])}: the password is "
            f"[bold]{escape(answer['password'])}[/bold] "
            "(shown only now)"
        )
    else:
        console.print(f"{escape(answer['name'])}: done")


PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@users.command("add")
def user_add(
    context: typer.Context,
    name: str,
    group: Annotated[list[str] | None, typer.Option("--group", help="A group; repeatable.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May administer.")] = False,
    password_stdin: PasswordStdin = False,
) -> None:
    """Make an account; a generated password is printed once.

    With a directory or a provider: give groups or rights to whoever has that name there.
    """
    request = {
        "name": name,
        "groups": group or [],
        "admin": admin,
        "password": _password(password_stdin),
    }
    _show_login(accounts.ask(_settings(context).name, "user-add", request))


@users.command("remove")
def user_remove(context: typer.Context, name: str) -> None:
    """Stop a user's servers and remove the account; the home is kept."""
    chosen = _settings(context)
    accounts.ask(chosen.name, "user-remove", {"name": name})
    home = naming.home(normalize_user_name(name))
    console.print(f"{escape(name)}: removed; the home stays in the storage, {home}")
    if chosen.auth.server:
        console.print(
            f"{escape(providers.title(chosen.auth.server))} still knows the name: "
            "take it out there, or whoever has it comes back with the next login."
        )


def _role(user: dict[str, Any], kept_by: str) -> str:
    if kept_by:
        return "administrator" if user["admin"] else ""
    if not user["has_password"]:
        return "no account yet"
    if not user["approved"]:
        return "asks for approval"
    return "administrator" if user["admin"] else ""


@users.command("list")
def user_list(context: typer.Context) -> None:
    """Show who has an account, and who asks for one."""
    table = Table("user", "groups", "", "server", "last seen", box=None, header_style="dim")
    known = accounts.ask(_settings(context).name, "user-list", {})
    for user in known["users"]:
        role = _role(user, known["kept_by"])
        table.add_row(
            escape(user["name"]),
            escape(", ".join(user["groups"])),
            role,
            user["server"],
            (user["last_activity"] or "")[:16].replace("T", " "),
        )
    console.print(table)


@users.command("passwd")
def user_passwd(context: typer.Context, name: str, password_stdin: PasswordStdin = False) -> None:
    """Give a user a new password, printed once unless it is given."""
    request = {"name": name, "password": _password(password_stdin)}
    _show_login(accounts.ask(_settings(context).name, "user-passwd", request))


@machines.command("list")
def node_list(context: typer.Context) -> None:
    """Show every node: what is reserved of what it has, users' servers, images of the settings."""
    table = Table(
        *("node", "state", "role", "address", "CPU", "memory", "servers", "images", "data"),
        box=None,
        header_style="dim",
    )
    for node in nodes.look(_settings(context).name):
        table.add_row(
            escape(node.name),
            node.state if node.availability == "active" else f"{node.state}, {node.availability}",
            node.role,
            node.address,
            f"{node.reserved_cpu:g}/{node.cpu:g}",
            f"{format_memory(node.reserved_memory)}/{format_memory(node.memory)}",
            str(len(node.servers)),
            f"{node.present}/{len(node.images)}",
            "here" if node.data else "",
        )
    console.print(table)


@machines.command("join-command")
def node_join_command(
    context: typer.Context,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only what is typed, for programs.")
    ] = False,
) -> None:
    """Print what to type on a new machine, so that it joins the Swarm."""
    chosen = _settings(context)
    with locked(chosen.name):
        told, typed = join.prepare(chosen, steps.Steps(Console(stderr=True, quiet=quiet)))
    print(typed if quiet else f"\n{told}\n{typed}", end="")


@machines.command("drain")
def node_drain(
    context: typer.Context,
    name: str,
    undo: Annotated[bool, typer.Option("--undo", help="Use the node again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before ending servers.")] = False,
) -> None:
    """Free a node for maintenance: servers on it end, and none starts there."""
    chosen = _settings(context)
    node = nodes.find(nodes.look(chosen.name), name)
    if undo:
        retire.set_availability(node, "active")
        console.print(f"{escape(name)}: is used again")
        return
    retire.require_expendable(chosen.name, node)
    if node.servers and not yes:
        typer.confirm(f"{name}: {retire.consequence(node)}. Go on?", abort=True)
    with steps.Steps(console).step(f"Drain {node.name}") as step:
        retire.drain(node, step.say)
        step.say(retire.consequence(node))
    console.print(f"To use it again: `./notehive node drain --undo {escape(name)}`")


@machines.command("remove")
def node_remove(
    context: typer.Context,
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="Even if users' servers end.")] = False,
) -> None:
    """Take a node out of the Swarm for good; it may be dead."""
    chosen = _settings(context)
    node = nodes.find(nodes.look(chosen.name), name)
    retire.require_expendable(chosen.name, node)
    if node.servers and not yes:
        raise BadInput(
            f"{name}: {retire.consequence(node)}; "
            f"`./notehive node drain {name}` first, or add --yes"
        )
    with steps.Steps(console).step(f"Remove {node.name}") as step:
        retire.remove(node, step.say)
        step.say(retire.consequence(node))
    if node.state == "ready":
        console.print(f"On {escape(name)} itself: `docker swarm leave`")


def main() -> None:
    """Run the command line; end with 0 done, 1 failed, 2 bad input, 130 interrupted."""
    try:
        app(prog_name="./notehive")
    except NotehiveError as error:
        if os.environ.get("NOTEHIVE_TRACEBACK"):
            raise
        *context, line = str(error).splitlines() or [""]
        for text in context:
            print(f"  {text}", file=sys.stderr)
        print(f"notehive: {line}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer's word for Ctrl-C
            print("\nnotehive: interrupted; `./notehive up` goes on from here", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
