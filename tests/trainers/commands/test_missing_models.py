"""Commands that are given a model that is not there say which."""

from pathlib import Path

import pytest

from trainers.commands.csr_emotion import main

POSTS = ("--dataset", "csr-emotion-posts")


@pytest.mark.parametrize(
    "argv",
    [
        ("evaluate", "nobody/here", *POSTS),
        ("export", "nobody/here", "--output_dir", "out"),
        ("distill", "--teacher", "nobody/here", *POSTS, "--output_dir", "out"),
        ("distill", "--teacher", "nobody/here", "--student_layers", "1", *POSTS, "--output_dir", "out"),
        ("train", "--recipe", "bert", "--encoder", "nobody/here", "--output_dir", "out"),
        ("score", "texts.csv", "out", "--model", "nobody/here"),
        ("suggest", "texts.csv", "--model", "nobody/here", "--output_file", "next.csv"),
        ("check-data", "--dataset", "texts.csv", "--encoder", "nobody/here", "--output_dir", "out"),
        ("check-data", "--dataset", "texts.csv", "--model", "nobody/here", "--output_dir", "out"),
        ("cross-validate", "--dataset", "texts.csv", "--encoder", "nobody/here", "--output_dir", "out"),
    ],
    ids=" ".join,
)
def test_it_is_named(
    argv: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"day {number},{label}" for label in ("joy", "anger") for number in range(5)]
    Path("texts.csv").write_text("\n".join(["text,label", *lines, ""]), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(list(argv))
    assert "nobody/here could not be loaded" in f"{ended.value}{capsys.readouterr().err}"
    assert not list(Path("out").rglob("*.safetensors"))
