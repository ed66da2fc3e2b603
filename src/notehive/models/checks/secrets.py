"""Secrets in code and outputs: whoever may read the repository or the image has them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from notehive.models.checks.notebook import texts
from notehive.models.checks.python import Piece
from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

# Detectors of detect-secrets for forms that nothing else has. Those that go by randomness or by a
# word in the line (`tokenizer = "bert"`) would find something in every other notebook.
DETECTORS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "private_key": "PrivateKeyDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
}
# Names whose value is a secret: the last word of `db_password`, not the first of `token_count`.
PASSWORD = re.compile(r"(?:.*_)?(?:password|passwd|passphrase|pwd)", re.I)
KEY = re.compile(r"(?:.*_)?(?:token|secret|api_?key|access_?key|private_?key|secret_?key)", re.I)
# The same where programs print it: a long word of letters and digits.
PRINTED = re.compile(
    r"(password|passwd|token|secret|api_?key|access_?key)['\"]?\s*[:=]\s*['\"]?"
    r"(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])([\w+/=-]{20,})",
    re.I,
)
# What stands for a secret, and is none.
STAND_IN = re.compile(
    r"[<{$\[%*.].*|.*(?:your|example|placeholder|dummy|redacted).*"
    r"|(?:my|the|a|change|test)(?:[\d_-].*|me)?|x+|none|null|true|false|password|secret|token",
    re.I,
)
MOST_READ = 200_000  # characters of a text or output; what is longer, people did not write
COLOUR = re.compile(r"\x1b\[[\d;]*m")  # of tracebacks
REMEDY = "revoke it, since git keeps it, and read it from the environment or a file outside"
CLEAR = "revoke it, since git keeps it, clear the output and save the notebook"


def check(subject: Subject) -> Iterator[Problem]:
    """Give the places that hold what looks like a secret; the secret itself is not repeated."""
    for piece in subject.pieces:
        for node, name in _named(piece):
            what = f"gives {name} a value that looks like a secret"
            yield Problem(piece.path, piece.place(node), what, REMEDY)
    for path, place, text in _written(subject):
        for number, line in enumerate(text.splitlines(), 1):
            if kind := _kind(line):
                what = f"holds what looks like a secret: {kind}"
                yield Problem(path, place or f"line {number}", what, REMEDY)
    for notebook in subject.notebooks.values():
        for cell in notebook.code:
            lines = (line for each in cell.outputs for text in texts(each) for line in _lines(text))
            for kind in filter(None, (_kind(line) or _printed(line) for line in lines)):
                what = f"has an output with what looks like a secret: {kind}"
                yield Problem(notebook.path, cell.place, what, CLEAR)


def _written(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Give what people wrote: file, place, text."""
    for notebook in subject.notebooks.values():
        for cell in notebook.cells:
            yield notebook.path, cell.place, cell.source
    for path in subject.regular():
        if not path.endswith(".ipynb"):
            yield path, "", subject.text(path)[:MOST_READ]


def _lines(text: str) -> list[str]:
    return COLOUR.sub("", text[:MOST_READ]).splitlines()


def _named(piece: Piece) -> Iterator[tuple[ast.AST, str]]:
    """Give what is assigned to a name of a secret, or given as an argument of that name."""
    for node in piece.nodes():
        match node:
            case ast.Assign(targets=[target], value=value):
                pairs = [(_name(target), value)]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                pairs = [(_name(target), value)]
            case ast.keyword(arg=str(name), value=value):
                pairs = [(name, value)]
            case ast.Dict(keys=keys, values=values):
                pairs = [(_name(key), value) for key, value in zip(keys, values, strict=True)]
            case _:
                continue
        for name, value in pairs:
            if isinstance(value, ast.Constant) and _is_secret(name, value.value):
                yield value, name


def _name(node: ast.AST | None) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Constant(value=str(name)):
            return name
    return ""


def _is_secret(name: str, value: Any) -> bool:
    if not isinstance(value, str) or re.search(r"\s", value) or STAND_IN.fullmatch(value):
        return False
    if PASSWORD.fullmatch(name):
        return len(value) >= 4
    mixed = re.search(r"\d", value) and re.search(r"[A-Za-z]", value)
    return bool(KEY.fullmatch(name) and len(value) >= 8 and mixed)


@cache
def _detectors() -> list[Any]:
    return [
        getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in DETECTORS.items()
    ]


def _kind(line: str) -> str:
    """Say what kind of secret a line holds; empty if none."""
    for detector in _detectors():
        for found in detector.analyze_string(line):
            if found and not STAND_IN.fullmatch(found):
                return str(detector.secret_type)
    return ""


def _printed(line: str) -> str:
    found = PRINTED.search(line)
    return f"the value of {found[1]}" if found and not STAND_IN.fullmatch(found[2]) else ""
