"""A browser for the tests of the page, where there is one."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.chromium import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running
