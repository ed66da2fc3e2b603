"""Answers the hub as a user's JupyterLab does, and does nothing else."""

import http.server
import os
import threading
from urllib.parse import urlsplit

API = os.environ["JUPYTERHUB_SERVICE_PREFIX"] + "api"


class Handler(http.server.BaseHTTPRequestHandler):
    """Says that it is there, and ends when it is told to."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int) -> None:
        """Send a status and an empty object."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.answer(200 if self.path.rstrip("/") == API else 404)

    def do_POST(self) -> None:
        if self.path == f"{API}/shutdown":
            threading.Thread(target=self.server.shutdown).start()
            self.answer(200)
        else:
            self.answer(404)

    def log_message(self, *args: object) -> None:
        """Write no log."""


port = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"]).port or 8888
http.server.ThreadingHTTPServer(("", port), Handler).serve_forever()
