"""A real browser for the tests that look at pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from tests.harness import debian
from tests.harness.once import once

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A test looks at our pages and at nothing else: no visits home, no updates.
FLAGS = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the machine's Chromium, or the one playwright has downloaded."""
    path = once("chromium", lambda: _find_chromium() or _install_chromium())
    # Chromium's sandbox refuses to work for root.
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path or None, args=flags)
        except Error as error:
            raise RuntimeError(
                "The page tests need Chromium. Install it (Debian: sudo apt-get install "
                "chromium; elsewhere: .venv/bin/playwright install chromium)."
            ) from error
        yield browser
        browser.close()


def _find_chromium() -> str:
    return next(filter(None, map(shutil.which, NAMES)), "")


def _install_chromium() -> str:
    debian.install("chromium")
    return _find_chromium()
