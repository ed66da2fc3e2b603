"""The documentation names what there is, and its links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from notehive import settings
from notehive.cli import app
from notehive.models import project

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".notehive", "node_modules", ".git", ".pytest_cache", ".venv"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)


def pages() -> list[Path]:
    """Every Markdown file of ours."""
    return sorted(
        path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts[:-1])
    )


MANUAL = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OF_MODELS = [ROOT / "docs/model-yml.md", ROOT / "docs/models.md"]


def manual() -> str:
    """What an operator reads: README and docs/."""
    return "\n".join(path.read_text(encoding="utf-8") for path in MANUAL)


def examples(pages: list[Path]) -> list[str]:
    """Blocks of YAML: of settings.yml, or in pages about models of model.yml."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    return re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)


def anchors(path: Path) -> set[str]:
    """What a link can say after # to come to a heading of this page."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every verb of the command line, with its words: ``user add``."""
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from commands(child, (*words, name))
    if not children:
        yield " ".join(words), command


def options() -> list[tuple[str, str]]:
    """Every verb with each of its long options, and the options before the verb."""
    root = typer.main.get_command(app)
    found = [("", option) for option in long_options(root)]
    for verb, command in commands(root):
        found += [(verb, option) for option in long_options(command)]
    return found


def long_options(command: Any) -> list[str]:
    """Options of a command, without those that every command has."""
    names = [name for parameter in command.params for name in parameter.opts]
    return [name for name in names if name.startswith("--") and name != "--help"]


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page}: {link}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_every_page_of_the_manual_is_linked_from_the_readme() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in linked


@pytest.mark.parametrize(
    "verb", [verb for verb, command in commands(typer.main.get_command(app)) if not command.hidden]
)
def test_every_verb_is_explained(verb: str) -> None:
    assert re.search(rf"\./notehive {verb}\b", manual())


@pytest.mark.parametrize(("verb", "option"), options())
def test_every_option_is_shown(verb: str, option: str) -> None:
    """In an example of its own verb; what stands before a verb, with any."""
    command = f"./notehive {verb}".strip()
    assert re.search(rf"{re.escape(command)} [^\n`]*{option}\b", manual())


def test_every_verb_in_the_documentation_exists() -> None:
    known = {verb for verb, _ in commands(typer.main.get_command(app))}
    # Only where it is a command: in a block or between back quotes.
    for said in re.findall(r"(?:^|`)\./notehive ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", manual(), re.M):
        words = said.split()
        assert words[0] in known or said in known, said


@pytest.mark.parametrize(
    "block",
    examples([page for page in MANUAL if page not in OF_MODELS]),
    ids=lambda text: text[:20],
)
def test_settings_in_the_documentation_are_accepted(block: str) -> None:
    settings.parse(block)


@pytest.mark.parametrize("block", examples(OF_MODELS), ids=lambda text: text[:20])
def test_models_in_the_documentation_are_right(block: str) -> None:
    assert project.parse(block)[1] == []


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in ROOT.glob("*/Dockerfile")))
def test_every_folder_of_a_service_says_what_it_is(folder: str) -> None:
    lines = (ROOT / folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {folder}"
    assert len(lines) <= 10


def test_every_service_is_named_in_a_folder() -> None:
    stack = yaml.safe_load((ROOT / "stack.yml").read_text(encoding="utf-8"))
    said = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("*/README.md"))
    for service in stack["services"]:
        assert f"`{service}`" in said, service


def test_every_volume_is_in_the_page_about_data() -> None:
    stack = yaml.safe_load((ROOT / "stack.yml").read_text(encoding="utf-8"))
    said = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    for volume in stack["volumes"]:
        assert f"`notehive_{volume}`" in said
