"""The rooms of the house: who may import whom, and what no file may hold."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = ("modeling_csr", "model_cards", "trainers", "examples")
# Arrows go one way.
MAY_IMPORT = {
    "modeling_csr": set(),
    "model_cards": {"modeling_csr"},
    "trainers": {"modeling_csr", "model_cards"},
    "examples": {"modeling_csr", "model_cards", "trainers"},
}


def modules(room: str) -> list[Path]:
    return sorted((REPOSITORY / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """The imported modules with their level, those inside functions too: 0 is absolute, 1 a sibling."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level


def repository_files() -> list[Path]:
    """The files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [path for name in listing.split("\0") if name and (path := REPOSITORY / name).is_file()]


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_go_one_way(room: str) -> None:
    found = modules(room)
    assert found
    for path in found:
        for name, level in imports(path):
            root = name.split(".")[0]
            if level == 0 and root in {*ROOMS, "tests", "benchmarks"}:
                assert root in MAY_IMPORT[room], f"{path.relative_to(REPOSITORY)} imports {name}"
            # From where a file lies, one dot more than its depth leaves its room.
            depth = len(path.parent.relative_to(REPOSITORY / room).parts)
            assert level <= depth + 1, f"{path.relative_to(REPOSITORY)} imports from {'.' * level}{name}"


def test_modeling_travels_alone() -> None:
    """Its files are copied beside the weights, flat, and loaded where nothing of this project is installed."""
    # What transformers itself needs is there, too.
    allowed = {"torch", "transformers", "safetensors", *sys.stdlib_module_names}
    siblings = {path.stem for path in modules("modeling_csr")}
    # They stay behind, and import their runtimes when they are used.
    of_file = {
        "onnx_classifier.py": {"onnxruntime"},
        "openvino_classifier.py": {"openvino"},
    }
    for path in modules("modeling_csr"):
        for name, level in imports(path):
            where = f"{path.name} imports {'.' * level}{name}"
            if level == 0:
                assert name.split(".")[0] in allowed | of_file.get(path.name, set()), where
            else:
                # `from . import x` is not resolved for remote code.
                assert level == 1 and name in siblings, where
    assert all(path.parent == REPOSITORY / "modeling_csr" for path in modules("modeling_csr"))


def test_every_module_has_a_docstring() -> None:
    for room in ROOMS:
        for path in modules(room):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.relative_to(REPOSITORY)


def test_no_file_is_called_utils() -> None:
    assert [path for path in repository_files() if "utils" in path.name] == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    pattern = re.compile(r"(?<![\w.~:/-])/(?:home|Users|root|work|mnt|tmp)/\w+|\b[A-Z]:\\+Users")
    found = []
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image
        found += [f"{path.relative_to(REPOSITORY)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_no_pickle_and_nothing_large_in_the_repository() -> None:
    files = repository_files()
    assert [path for path in files if path.suffix in (".bin", ".pt", ".pth", ".pkl", ".safetensors", ".npy")] == []
    assert [path for path in files if path.stat().st_size > 2_000_000] == []
