"""What the README shows of the benchmarks is what they wrote."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EMPTY = "<!-- from {file} -->\n<!-- end -->"


def load(repository: Path) -> ModuleType:
    """The module benchmarks/readme.py of a repository: a script, which no package holds."""
    spec = importlib.util.spec_from_file_location("benchmarks_readme", repository / "benchmarks" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Another repository, with this script and two files of results."""
    (tmp_path / "benchmarks").mkdir()
    shutil.copy(REPOSITORY / "benchmarks" / "readme.py", tmp_path / "benchmarks")
    (tmp_path / "one.md").write_text("| a |\n| - |\n| 1 |\n\n", encoding="utf-8")
    (tmp_path / "benchmarks" / "two.md").write_text("\nfigures \\1 & \\g<file> – 50 %\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def readme(repository: Path) -> ModuleType:
    return load(repository)


def test_readme_of_this_repository_is_up_to_date() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert load(REPOSITORY).with_results(text) == text, "run python benchmarks/readme.py"


def test_blocks_are_filled_and_all_else_stays(readme: ModuleType, repository: Path) -> None:
    first, second = EMPTY.format(file="one.md"), EMPTY.format(file="benchmarks/two.md")
    text = f"# Title\n\n{first}\nbetween  \n\n<!-- another comment -->\n{second}\n{first}\n\nend \\1\n"
    one = "<!-- from one.md -->\n\n| a |\n| - |\n| 1 |\n\n<!-- end -->"
    two = "<!-- from benchmarks/two.md -->\n\nfigures \\1 & \\g<file> – 50 %\n\n<!-- end -->"
    expected = f"# Title\n\n{one}\nbetween  \n\n<!-- another comment -->\n{two}\n{one}\n\nend \\1\n"
    assert readme.with_results(text) == expected


def test_filling_again_changes_nothing(readme: ModuleType, repository: Path) -> None:
    text = f"a\n{EMPTY.format(file='one.md')}\nb\n{EMPTY.format(file='benchmarks/two.md')}"
    filled = readme.with_results(text)
    assert filled != text
    assert readme.with_results(filled) == filled


def test_old_results_are_replaced(readme: ModuleType, repository: Path) -> None:
    before = readme.with_results(EMPTY.format(file="one.md"))
    (repository / "one.md").write_text("new", encoding="utf-8")
    assert readme.with_results(before) == "<!-- from one.md -->\n\nnew\n\n<!-- end -->"


def test_text_without_blocks_stays(readme: ModuleType) -> None:
    text = "# Title\n\n<!-- a comment -->\n<!-- end -->\n<!-- from nowhere\n"
    assert readme.with_results(text) == text


def test_missing_file_is_named(readme: ModuleType, repository: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.md"):
        readme.with_results(EMPTY.format(file="none.md"))


def test_command_writes_the_file_once(readme: ModuleType, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = repository / "README.md"
    path.write_text(EMPTY.format(file="one.md"), encoding="utf-8")
    readme.main()
    assert "| 1 |" in path.read_text(encoding="utf-8")
    assert "has the new results" in capsys.readouterr().err
    readme.main()
    assert "was up to date" in capsys.readouterr().err


def test_command_leaves_the_file_where_results_are_missing(readme: ModuleType, repository: Path) -> None:
    path = repository / "README.md"
    text = f"{EMPTY.format(file='one.md')}\n{EMPTY.format(file='none.md')}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        readme.main()
    assert path.read_text(encoding="utf-8") == text
