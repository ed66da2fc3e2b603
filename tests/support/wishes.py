"""Bodies of a request to start a server that are refused, with a word of the reason."""

import json
from typing import Any

OPTIONS: list[tuple[Any, str]] = [
    # No text, or none that is a key
    ({"image": None}, "image is not text"),
    ({"image": ["base"]}, "image is not text"),
    ({"image": {"base": 1}}, "image is not text"),
    ({"size": True}, "size is not text"),
    ({"size": -1}, "size is not text"),
    ({"size": 10**400}, "size is not text"),
    ({"size": 1e308}, "size is not text"),
    ({"size": "-1"}, "no size '-1'"),
    ({"size": "999999999"}, "no size"),
    ({"size": "SMALL"}, "no size"),
    ({"size": "small\n"}, "no size"),
    ({"size": ""}, "no size"),
    ({"image": "base\0"}, "no image"),
    ({"image": "../base"}, "no image"),
    ({"image": "x" * 100_000}, "no image"),
    # Something of the machine, of Docker, of others
    ({"image": "debian:trixie-slim"}, "no image"),
    ({"image": "127.0.0.1:5000/notehive/hub:latest"}, "no image"),
    ({"image": "base", "mounts": [{"source": "/", "target": "/host"}]}, "'mounts' is unknown"),
    ({"volumes": {"/": "/host"}}, "'volumes' is unknown"),
    ({"size": "small", "cpu_limit": 64}, "'cpu_limit' is unknown"),
    ({"size": "small", "mem_limit": -1}, "'mem_limit' is unknown"),
    ({"cmd": ["sh"]}, "'cmd' is unknown"),
    ({"environment": {"LD_PRELOAD": "/x"}}, "'environment' is unknown"),
    ({"user": "boss"}, "'user' is unknown"),
    ({"__jupyterhub_bytes__": True, "data": "eA=="}, "is unknown"),
    ({"x" * 100_000: 1}, "is unknown"),
    ({"": ""}, "is unknown"),
]
# What is no options at all
BODIES: list[tuple[bytes, str]] = [
    (b"{", "JSON"),
    (b"image=base", "JSON"),
    (b'{"image": "base"', "JSON"),
    (b"\xff\xfe", "JSON"),
    (b"[1]", "object"),
    (b'["base", "small"]', "object"),
    (b'"base"', "object"),
    (b"3", "object"),
    (b'{"user_options": []}', "user_options must be an object"),
    (b'{"user_options": "base"}', "user_options must be an object"),
    (b'{"user_options": {"image": "base", "user": "boss"}}', "'user' is unknown"),
    (b'{"display_name": 3}', "display_name"),
]
WISHES = [(json.dumps(options).encode(), word) for options, word in OPTIONS] + BODIES
