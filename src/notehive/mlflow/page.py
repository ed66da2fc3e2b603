"""MLflow's web page, with one thing mended: a link without a workspace means `default`.

MLflow's client prints such links for runs in `default`. The page itself would show what it showed
last, or let one choose.
"""

from pathlib import Path

SCRIPT = """<script>
if (/^#\\/(experiments|models)\\/./.test(location.hash) && !/[?&]workspace=/.test(location.hash))
  location.replace(location.hash + (location.hash.includes("?") ? "&" : "?") + "workspace=default")
</script>"""


def page(static_folder: str) -> bytes:
    """Give the page of MLflow's folder of static files."""
    html = Path(static_folder, "index.html").read_text(encoding="utf-8")
    before, head, after = html.partition("<head>")
    if not head:
        raise RuntimeError(f"{static_folder}/index.html: has no <head>; MLflow has changed it")
    return f"{before}{head}{SCRIPT}{after}".encode()
