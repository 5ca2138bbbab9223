"""The house as it is drawn in the README: rooms with doors, floors, arrows that go one way, and files one can read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
# From the ground up: a room imports only from floors below its own.
FLOORS = (
    ("modeling_csr", "model_cards", "trainers.data", "trainers.recipes", "trainers.training_arguments"),
    ("trainers.loop", "trainers.evaluation", "trainers.hub"),
    ("trainers.trainer", "trainers.serving"),
    (
        "trainers.multitask_trainer",
        "trainers.siamese_trainer",
        "trainers.csr_trainer",
        "trainers.dialogue_trainer",
        "trainers.distillation_trainer",
    ),
    ("trainers.runs",),
    ("trainers.experiments",),
    ("trainers.commands",),
    ("examples", "benchmarks"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# The page is a Space of its own: its files stand beside each other there.
APART = REPOSITORY / "trainers" / "hub" / "page"
LONGEST = 350


def code_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [path for path in found if APART not in path.parents]


HOUSE = code_files("modeling_csr", "model_cards", "trainers", "examples", "benchmarks")


def module_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """The room that a module is in; none for those of others."""
    return next((room for room in FLOOR if module == room or module.startswith(f"{room}.")), None)


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each imported module by its full name, with the names that are taken from it; those inside functions, too."""
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])]), [alias.name for alias in node.names]


def arrows() -> set[tuple[str, str]]:
    found = {
        (room_of(module_of(path)), room_of(name))
        for path in HOUSE
        for name, _ in imports(path)
        if room_of(module_of(path))
    }
    return {(start, end) for start, end in found if end and start != end}


def test_every_file_is_in_a_room() -> None:
    outside = {module_of(path) for path in HOUSE if room_of(module_of(path)) is None}
    assert outside == {"trainers"}  # its door alone, which imports nothing by itself
    assert len(FLOORS) <= 8


def test_arrows_go_down() -> None:
    upward = {(start, end) for start, end in arrows() if FLOOR[start] <= FLOOR[end]}
    assert upward == set()
    assert ("trainers.runs", "trainers.recipes") in arrows()  # they are seen at all
    assert len(arrows()) <= 82


@pytest.mark.parametrize("path", HOUSE, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_other_rooms_are_entered_by_their_doors(path: Path) -> None:
    own = room_of(module_of(path))
    for name, names in imports(path):
        room = room_of(name)
        if room is None or room == own:
            continue
        assert name == room, f"import from the door {room} in place of {name}"
        door = REPOSITORY.joinpath(*room.split("."), "__init__.py")
        if door.is_file() and names:
            shown = door.read_text(encoding="utf-8")
            assert all(re.search(rf'"{taken}"', shown) for taken in names), f"{room} does not show {names}"


@pytest.mark.parametrize("path", HOUSE, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_file_reaches_into_another_folder(path: Path) -> None:
    if path.parts[-2] in ("benchmarks",):
        return  # they write results beside themselves and one table into README.md
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"sys\.path\b|parents\[|\.parent\.parent|os\.pardir|[\"']\.\./", text)


def test_no_room_is_over_a_third_of_the_code() -> None:
    lines: dict[str, int] = {}
    for path in HOUSE:
        room = room_of(module_of(path)) or "trainers"
        lines[room] = lines.get(room, 0) + len(path.read_text(encoding="utf-8").splitlines())
    assert max(lines.values()) <= sum(lines.values()) / 3, lines


def test_no_file_is_too_long() -> None:
    files = [*HOUSE, *code_files("tests", "docs"), *sorted(APART.glob("*.py"))]
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
