"""What goes where the rows of several files are joined."""

from typing import Any

import pytest

from trainers.data.readers import drop_conflicting_ids, drop_repetitions


def rows_of(*cells: tuple[str, str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(("id", "text", "labels"), row, strict=True)) for row in cells]


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(("one", "other"), [(0, 1), ([0.0, 1.0], [1.0, 1.0])])
def test_conflicting_ids(caplog: pytest.LogCaptureFixture, one: Any, other: Any) -> None:
    rows = rows_of(("1", "a", one), ("2", "b", one), ("2", "b", one), ("1", "a", other), ("1", "a", one))
    assert drop_conflicting_ids(rows, "data") == rows[1:3]
    assert messages(caplog) == ["data: 1 ids have conflicting labels; their 3 rows are dropped."]


@pytest.mark.parametrize(("one", "other"), [(0, 1), ([0.0, 1.0], [1.0, 1.0])])
def test_repetitions_keep_their_first_row(caplog: pytest.LogCaptureFixture, one: Any, other: Any) -> None:
    rows = rows_of(("1", "a", one), ("1", "b", one), ("2", "a", one), ("3", "a", other))
    assert drop_repetitions(rows, "id", "data") == [rows[0], rows[2], rows[3]]
    assert drop_repetitions(rows, "text", "data") == [rows[0], rows[1], rows[3]]
    assert messages(caplog) == [
        f"data: 1 rows repeat the {column} of another; they are dropped." for column in ("id", "text")
    ]


def test_where_nothing_goes_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    rows = rows_of(("1", "a", 0), ("2", "b", 1))
    assert drop_conflicting_ids(rows, "data") == drop_repetitions(rows, "id", "data") == rows
    assert not caplog.records
