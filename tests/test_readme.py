"""What the README says can be done, can be done."""

import argparse
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoModel, AutoTokenizer

from modeling_csr import CSRForSequenceClassification, MultitaskConfig, MultitaskModel
from tests.helpers import tiny_run
from trainers.data.registry import REGISTRY
from trainers.recipes import RECIPES

COMMANDS = (
    "run_csr",
    "evaluate",
    "reproduce_paper",
    "distill_csr",
    "run_multitask",
    "run_search",
    "run_dialogue",
    "run_recurrent",
)

README = (tiny_run.REPOSITORY / "README.md").read_text(encoding="utf-8")


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def command_lines() -> list[list[str]]:
    """The commands in all shell blocks, without comments, continued lines joined."""
    lines = "\n".join(code_blocks("bash")).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny `outputs/demo/csr`."""
    folder = tmp_path_factory.mktemp("readme")
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
    )
    model.save_pretrained(folder / "outputs" / "demo" / "csr")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder / "outputs" / "demo" / "csr")
    return folder


def test_python_code_runs(demo: Path, fresh_python: Callable[..., str]) -> None:
    """One block after the other, as somebody pastes them, in a process of its own."""
    blocks = code_blocks("python")
    assert len(blocks) >= 2
    check = "assert logits.shape == (1, 3) and vector.shape == (1, 8) and len(model.config.thresholds) == 3"
    code = "\n".join(["import os, sys", "os.chdir(sys.argv[1])", *blocks, check])
    printed = fresh_python(code, demo, with_package=True)
    assert set(re.findall(r"'label': '(\w+)'", printed)) == set(tiny_run.EMOTIONS)
    assert "custom code" not in printed


def test_commands_and_options_exist(capsys: pytest.CaptureFixture) -> None:
    makefile = (tiny_run.REPOSITORY / "Makefile").read_text(encoding="utf-8")
    options = {}
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            tiny_run.example(name).main(["--help"])
        options[name] = set(re.findall(r"--\w+", capsys.readouterr().out))
    seen = set()
    for words in command_lines():
        if words[0] == "make":
            assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in words[1:] if "=" not in target)
            continue
        for index, word in enumerate(words):
            if not (word.startswith("examples/") and word.endswith(".py")):
                continue
            script = Path(word)
            assert (tiny_run.REPOSITORY / script).is_file(), word
            used = {re.split("=", option)[0] for option in words[index:] if option.startswith("--")}
            if script.parent.name == "space":
                # It needs an extra that may not be installed.
                assert all(f'"{option}"' in (tiny_run.REPOSITORY / script).read_text("utf-8") for option in used)
                continue
            assert used <= options[script.stem], used - options[script.stem]
            seen.add(script.stem)
    assert seen == set(COMMANDS)


def test_command_lines_parse() -> None:
    """Values too: recipes, choices, numbers."""
    from trainers.loop.recurrent_encoders import RecurrentArguments
    from transformers import HfArgumentParser

    from trainers.commands.parser import parse_run_arguments, parse_run_arguments_and
    from trainers.experiments.search import SearchArguments
    from trainers.runs.arguments import HubArguments
    from trainers.runs.distillation import DistillationArguments
    from trainers.training_arguments import StageTrainingArguments

    parsed = 0
    for words in command_lines():
        if "examples/run_csr.py" in words:
            argv = words[words.index("examples/run_csr.py") + 1 :]
            assert parse_run_arguments(argv).training.output_dir.startswith("outputs/")
            parsed += 1
        elif "examples/evaluate.py" in words:
            argv = words[words.index("examples/evaluate.py") + 1 :]
            assert isinstance(tiny_run.example("run_evaluation").parse_args(argv), argparse.Namespace)
            parsed += 1
        elif "examples/reproduce_paper.py" in words:
            argv = words[words.index("examples/reproduce_paper.py") + 1 :]
            assert tiny_run.example("reproduce_paper").parse_args(argv)[1] == []
            parsed += 1
        elif "examples/distill_csr.py" in words:
            kinds = (DistillationArguments, HubArguments, StageTrainingArguments)
            argv = words[words.index("examples/distill_csr.py") + 1 :]
            assert HfArgumentParser(kinds, allow_abbrev=False).parse_args_into_dataclasses(argv)[0].teacher
            parsed += 1
        elif "examples/run_multitask.py" in words:
            argv = words[words.index("examples/run_multitask.py") + 1 :]
            assert tiny_run.example("run_multitask").parse_args(argv)[1] == []
            parsed += 1
        elif "examples/run_search.py" in words:
            argv = words[words.index("examples/run_search.py") + 1 :]
            assert parse_run_arguments_and(SearchArguments, argv)[1].n_trials == 20
            parsed += 1
        elif "examples/run_recurrent.py" in words:
            argv = words[words.index("examples/run_recurrent.py") + 1 :]
            assert parse_run_arguments_and(RecurrentArguments, argv)[1].parsed_branches()
            parsed += 1
        elif "examples/run_dialogue.py" in words:
            argv = words[words.index("examples/run_dialogue.py") + 1 :]
            assert list(tiny_run.example("run_dialogue").run_arguments(argv)) == [42, 43, 44]
            parsed += 1
    assert parsed >= len(COMMANDS)


def test_tables_name_every_recipe_and_dataset() -> None:
    named = set(re.findall(r"^\| `([\w.-]+)` \|", README, flags=re.MULTILINE))
    assert set(RECIPES) | set(REGISTRY) <= named


def test_inline_options_exist(capsys: pytest.CaptureFixture) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            tiny_run.example(name).main(["--help"])
    # The page's own parser stands behind the import of gradio, which is an extra.
    page = (tiny_run.REPOSITORY / "trainers" / "hub" / "page" / "app.py").read_text(encoding="utf-8")
    known = set(re.findall(r"--\w+", capsys.readouterr().out + page)) | {"--help"}
    assert set(re.findall(r"`(--\w+)`", README)) <= known


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        if not target.startswith("http"):
            assert os.path.exists(tiny_run.REPOSITORY / target), target


def test_nothing_is_left_to_fill_in() -> None:
    assert re.findall(r"@[A-Z_]+@|TODO|FIXME|XXX", README) == []
