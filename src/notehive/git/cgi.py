"""Runs a CGI program for a request: its body goes in and the answer comes out as they come.

Neither is ever kept whole, in memory or on disk: pushes may be many GB.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

CHUNK = 256 * 1024  # bytes
LONGEST_HEAD = 100  # header lines of an answer


async def run(
    request: web.BaseRequest,
    command: Sequence[str],
    env: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    finish: bool = False,
) -> web.StreamResponse:
    """Answer a request by a program; ``headers`` are added to what it says itself.

    Should the client leave, the program ends at once, or, to ``finish``, goes on to its end: what
    it has taken in is kept, and those who wait for that hear of it.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(env),
        limit=CHUNK,
        start_new_session=True,  # with all that it starts
    )
    assert process.stdin and process.stdout  # noqa: S101 - as it was started
    feeding = asyncio.create_task(feed(request, process.stdin))
    over = False
    try:
        status, said = await head(process.stdout)
        # Git's program says its first line before it listens. Nginx, once it has an answer, sends
        # no more of a request: its client would wait for ever.
        await feeding
        answer = web.StreamResponse(status=status, headers={**said, **headers})
        try:
            await answer.prepare(request)
            while chunk := await process.stdout.read(CHUNK):
                await answer.write(chunk)
            over = True
            await answer.write_eof()
        except ConnectionError:
            while finish and not over:
                over = not await process.stdout.read(CHUNK)
        return answer
    finally:
        feeding.cancel()
        if not over and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def feed(request: web.BaseRequest, stdin: asyncio.StreamWriter) -> None:
    """Give a program the body of a request, as fast as it takes it; end where the client does.

    What a program does not want to hear is read all the same: then the client hears why.
    """
    with contextlib.suppress(ConnectionError, web.RequestPayloadError):  # the client has left
        async for chunk in request.content.iter_any():
            if not stdin.is_closing():
                with contextlib.suppress(ConnectionError):
                    stdin.write(chunk)
                    await stdin.drain()
    stdin.close()


async def head(stdout: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read the status and the headers of a program's answer; 502 if it gives none."""
    headers: dict[str, str] = {}
    for _ in range(LONGEST_HEAD):
        line = (await stdout.readline()).decode("latin-1")
        if not line.strip():
            status = headers.pop("Status", "200").split()[0]
            return (int(status), headers) if line and status.isdigit() else (502, {})
        name, _, value = line.partition(":")
        headers[name.strip().title()] = value.strip()
    return HTTPStatus.BAD_GATEWAY, {}


def variables(
    request: web.BaseRequest, path: str, query: str, user: str, *, below: str
) -> dict[str, str]:
    """Give the environment of CGI for a request, of which nothing else reaches a program.

    ``path`` is decoded; ``below`` is where the site has what the program serves.
    """
    given = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": below,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_USER": user,
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH": "/usr/bin:/bin",
    }
    for variable, header in (
        ("CONTENT_TYPE", "Content-Type"),
        ("CONTENT_LENGTH", "Content-Length"),
        ("HTTP_CONTENT_ENCODING", "Content-Encoding"),
        ("GIT_PROTOCOL", "Git-Protocol"),
    ):
        if header in request.headers:
            given[variable] = request.headers[header]
    return given
