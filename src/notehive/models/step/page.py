"""The executed notebook as a page, which MLflow shows."""

from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter

# JupyterLab's look, without what it would load from elsewhere: a page without a way out waits for
# it, and MLflow shows pages that may not ask for anything.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def write(notebook: Path) -> Path:
    """Write the page beside an executed notebook; give its path."""
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"page.html.j2": TEMPLATE})], template_file="page.html.j2"
    )
    node = nbformat.read(notebook, as_version=4)
    text, _ = exporter.from_notebook_node(node, {"metadata": {"name": notebook.stem}})
    page = notebook.with_suffix(".html")
    page.write_text(text, encoding="utf-8")
    return page
