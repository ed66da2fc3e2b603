"""What JupyterLab says when a server is about to stop, and when a kernel needed too much memory."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import SECONDS, Login, MakeUser
from tests.browser.lab import choose, open_notebook, start_server
from tests.support.site import Site, changed, docker

pytestmark = pytest.mark.long

# Fifteen seconds after the last touch comes the notice.
CULLING = {"idle": 1, "notice": 0.75}
PICTURES = os.environ.get("NOTEHIVE_PICTURES", "")  # a folder, for who wants to look
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "food",
            "metadata": {},
            "outputs": [],
            "source": "food = [0] * (1 << 30)",
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def impatient(site: Site) -> Iterator[None]:
    with changed(site, culling=CULLING):
        yield


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_notices(
    site: Site,
    context: BrowserContext,
    page: Page,
    login: Login,
    make_user: MakeUser,
    impatient: None,
) -> None:
    nora = make_user("nora", "--group", "lab")
    login(page, nora.name)
    start_server(page, nora, "Base", "Small")
    container = site.container(nora.service)
    docker("exec", "-i", container, "sh", "-c", "cat > train.ipynb", stdin=json.dumps(NOTEBOOK))
    open_notebook(page, "train.ipynb")

    notice = page.locator(".Toastify__toast", has_text="this server stops at")
    expect(notice).to_be_visible(timeout=90 * SECONDS)
    picture(page, "stop")
    notice.get_by_role("button", name="Extend").click()
    expect(notice).to_have_count(0)

    expect(notice).to_be_visible(timeout=90 * SECONDS)
    choose(page, "Run", "Run All Cells")  # work goes on, and ends at the limit
    ended = page.locator(".Toastify__toast", has_text="The kernel of train.ipynb was ended")
    expect(ended).to_contain_text("the server reached its limit of 1 GB of memory.")
    expect(notice).to_have_count(0)
    picture(page, "ended")
    if page.get_by_role("button", name="Ok", exact=True).is_visible():  # Lab's own word about it
        page.get_by_role("button", name="Ok", exact=True).click()
    with context.expect_page() as opened:
        ended.get_by_role("button", name="Choose a larger size").click()
    expect(opened.value.get_by_role("button", name="Stop")).to_be_visible()
