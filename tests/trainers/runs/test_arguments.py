import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from trainers.commands.parser import parse_run_arguments
from trainers.recipes import LIBRARY, RECIPES, Stage, stages_of
from trainers.recipes.library import CSR, EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE
from trainers.runs.arguments import CommonSpaceArguments, RunArguments, SiameseArguments
from trainers.runs.data_arguments import DataArguments
from trainers.runs.model_arguments import ModelArguments
from trainers.runs.stage_arguments import stage_arguments
from trainers.training_arguments import StageTrainingArguments, supports_fast_bf16

ROOT = Path(__file__).parents[3]
KINDS = (DataArguments, ModelArguments, SiameseArguments, CommonSpaceArguments, StageTrainingArguments)


def parse(folder: Path, text: str, *argv: str) -> RunArguments:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return parse_run_arguments(["--config", str(path), *argv])


# -- YAML and the command line -----------------------------------------------------------------------------------------


def test_yaml_gives_defaults_and_the_command_line_wins(tmp_path: Path) -> None:
    text = "learning_rate: 3e-5\nrecipe: [bert, model-2]\npooling: cls\nseed: 7\ncommon_size: 12\n"
    text += "siamese_loss: contrastive\n"
    args = parse(tmp_path, text, "--seed", "8", "--recipe", "model-1", "--siamese_loss", "regression")
    assert (args.training.seed, args.model.recipe, args.siamese.siamese_loss) == (8, ["model-1"], "regression")
    assert (args.training.learning_rate, args.model.pooling, args.common.common_size) == (3e-5, "cls", 12)
    assert args.training.weight_decay == 0.01  # in neither: its own default


@pytest.mark.parametrize("order", [("--config", "{}", "--seed", "8"), ("--seed", "8", "--config={}")])
def test_command_line_wins_wherever_the_config_stands(order: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 7\nmax_length: 99\n")
    args = parse_run_arguments([item.format(path) for item in order])
    assert args.training.seed == 8 and args.training.max_length == 99


@pytest.mark.parametrize("number", ["1e-4", "1.0e-4", "0.0001", "'1e-4'"])
def test_numbers_are_numbers_however_they_are_written(number: str, tmp_path: Path) -> None:
    args = parse(tmp_path, f"learning_rate: {number}\ncommon_learning_rate: {number}\n")
    assert args.training.learning_rate == args.common.common_learning_rate == 1e-4
    assert isinstance(args.training.learning_rate, float)


def test_lists(tmp_path: Path) -> None:
    args = parse(
        tmp_path,
        "recipe:\n- bert\n- model-3.3\nshared_layer_sizes: [64, 32]\nemotion_label_columns: [anger, joy of life]\n"
        "normalization: [urls, users]\n",
    )
    assert args.model.recipe == ["bert", "model-3.3"] and args.model.shared_layer_sizes == [64, 32]
    assert args.data.emotion_label_columns == ["anger", "joy of life"]
    assert args.data.normalization == ["urls", "users"]
    args = parse(tmp_path, "recipe: bert\nnormalization: none\n")
    assert args.model.recipe == ["bert"] and args.data.normalization == []


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("false", False), ("yes", True), ("no", False)])
def test_booleans(text: str, expected: bool, tmp_path: Path) -> None:
    training = parse(tmp_path, f"bf16: {text}\nload_best_model_at_end: {text}\n").training
    assert training.bf16 is expected and training.load_best_model_at_end is expected
    # Options that are on by default can be put off, too.
    assert parse(tmp_path, f"dataloader_in_order: {text}\n").training.dataloader_in_order is expected
    other = str(not expected)
    assert parse(tmp_path, f"bf16: {text}\n", "--bf16", other).training.bf16 is not expected


def test_mappings(tmp_path: Path) -> None:
    text = "lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr: 1.0e-05}\n"
    assert parse(tmp_path, text).training.lr_scheduler_kwargs == {"min_lr": 1e-05}


def test_empty_values_leave_the_default(tmp_path: Path) -> None:
    args = parse(tmp_path, "common_size:\nlearning_rate: null\n")
    assert args.common.common_size is None and args.training.learning_rate == 1e-4
    assert parse(tmp_path, "# nothing yet\n") == parse_run_arguments([])


def test_options_that_begin_alike_may_be_nested(tmp_path: Path) -> None:
    nested = """
    emotion:
      dataset: meld
      label_columns: [joy, fear]
      train_fraction: 0.5
    intensity: {text_column: post}
    siamese: {pairs: balanced, train: {batch_size: 7}}
    lr_scheduler_kwargs: {num_cycles: 2}
    """
    args = parse(tmp_path, nested)
    assert (args.data.emotion_dataset, args.data.emotion_label_columns) == ("meld", ["joy", "fear"])
    assert args.data.emotion_train_fraction == 0.5 and args.data.intensity_text_column == "post"
    assert args.siamese.siamese_pairs == "balanced" and args.siamese.siamese_train_batch_size == 7
    assert args.training.lr_scheduler_kwargs == {"num_cycles": 2}
    # The command line wins here, too.
    path = tmp_path / "run.yaml"
    assert parse_run_arguments(["--config", str(path), "--emotion_dataset", "isear"]).data.emotion_dataset == "isear"


def test_configs_of_the_examples_are_valid() -> None:
    paths = sorted((ROOT / "examples" / "configs").glob("*.yaml"))
    assert paths
    for path in paths:
        args = parse_run_arguments(["--config", str(path)])
        options = yaml.safe_load(path.read_text(encoding="utf-8"))
        tasks = {name: options.pop(name) for name in list(options) if isinstance(options[name], dict)}
        options |= {f"{task}_{name}": value for task in tasks for name, value in tasks[task].items()}
        for name, value in options.items():
            (found,) = [getattr(kind, name) for kind in vars(args).values() if hasattr(kind, name)]
            assert str(found) == str(value) or float(found) == float(value), name


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "lerning_rate: 1e-4\nseed: 1\nmax_lenght: 3\n",
            r"unknown option lerning_rate \(did you mean learning_rate\?\), max_lenght \(did",
        ),
        ("emotion:\n  datset: meld\n", r"unknown option emotion_datset \(did you mean emotion_dataset\?\);"),
        ("fun:\n  seed: 1\n", "unknown option fun_seed"),
        ("learning-rate: 1e-4\n", "unknown option learning-rate"),
        ("config: other.yaml\n", "unknown option config"),
        ("- seed\n- 1\n", "run.yaml must contain"),
        ("just text\n", "run.yaml must contain"),
        ("recipe: [bert, model-4]\n", "There is no recipe 'model-4'. Did you mean model-3.4"),
        ("max_length: 2\n", "--max_length must be at least 3, got 2"),
    ],
)
def test_what_is_wrong_in_the_yaml_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        parse(tmp_path, text)


def test_missing_config_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(FileNotFoundError, match=rf"--config {re.escape(str(path))} does not exist"):
            parse_run_arguments(["--config", str(path)])


def test_unknown_recipe_is_named() -> None:
    with pytest.raises(ValueError, match="model-9") as error:
        parse_run_arguments(["--recipe", "model-3.3", "model-9"])
    assert all(recipe in str(error.value) for recipe in RECIPES)


@pytest.mark.parametrize(
    "argv",
    [["--learning", "0.1"], ["--learning=0.1"], ["--max_train", "8"], ["--conf", "run.yaml"], ["stray"]],
)
def test_abbreviations_are_refused(argv: list[str]) -> None:
    with pytest.raises(ValueError, match=re.escape(argv[0])):
        parse_run_arguments(argv)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("pooling", "sum"),
        ("threshold", "tuned"),
        ("siamese_pairs", "hard"),
        ("learning_rate", "fast"),
        ("seed", "1.5"),
        ("train_sampling_strategy", "longest_first"),
        ("bf16_weights", "perhaps"),
    ],
)
def test_values_that_are_no_choice_are_refused(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for argv in ([f"--{option}", value], ["--config", str(tmp_path / "run.yaml")]):
        (tmp_path / "run.yaml").write_text(f"{option}: {value}\n")
        with pytest.raises(SystemExit):
            parse_run_arguments(argv)
        assert option in capsys.readouterr().err


# -- help --------------------------------------------------------------------------------------------------------------


def test_help_names_every_option(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse_run_arguments(["--help"], description="Trains recipes.")
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "Trains recipes." in shown and "--config" in shown
    for kind in KINDS:
        for field in dataclasses.fields(kind):
            assert re.search(rf"--{field.name}\b", shown), field.name
    flat = " ".join(shown.split())
    for recipe in LIBRARY:
        assert recipe in flat.replace("- ", "-")  # a long name may be broken at its hyphens
    for kind in KINDS[:-1]:  # each of our own options says what it is for
        for field in dataclasses.fields(kind):
            assert field.metadata["help"].split()[0] in flat, field.name


def test_no_option_is_of_two_kinds() -> None:
    names = [field.name for kind in KINDS for field in dataclasses.fields(kind)]
    assert len(names) == len(set(names))


# -- the training arguments --------------------------------------------------------------------------------------------


def test_bf16_weights_are_used_where_they_are_fast() -> None:
    training = parse_run_arguments([]).training
    assert training.bf16_weights is supports_fast_bf16() and not training.bf16
    for value in (True, False):
        assert parse_run_arguments(["--bf16_weights", str(value)]).training.bf16_weights is value
    # They stand in for autocast: whoever asks for that gets it.
    training = parse_run_arguments(["--bf16", "True"]).training
    assert training.bf16 is True and training.bf16_weights is False
    with pytest.raises(ValueError, match="--fp16 has no effect on a CPU"):
        parse_run_arguments(["--fp16", "True", "--use_cpu", "True"])


@pytest.mark.parametrize("autocast", ["bf16", "fp16"])
def test_bf16_weights_with_autocast_are_refused(autocast: str) -> None:
    with pytest.raises(ValueError, match="--bf16_weights replaces autocast"):
        parse_run_arguments(["--bf16_weights", "True", f"--{autocast}", "True"])
    assert parse_run_arguments(["--bf16_weights", "True", f"--{autocast}", "False"]).training.bf16_weights


def test_what_makes_training_fast_is_the_default() -> None:
    args = parse_run_arguments([])
    assert args.model.encoder_dropout == 0.0 and args.training.freeze_word_embeddings is True
    assert args.training.attn_implementation is None and args.model.source_num_train_epochs is None
    assert args.training.train_sampling_strategy == "group_by_length" and args.training.reuse_stages_from is None
    assert args.data.emotion_train_fraction is None and args.data.related_dataset is None
    # Small networks on vectors gain nothing from half precision; vectors have no length, pairs and dialogues several.
    args = parse_run_arguments(["--bf16_weights", "True"])
    for stage in stages_of(RECIPES.values()):
        training = stage_arguments(stage, args)
        encoder = stage.trains_encoder
        assert training.bf16_weights is encoder
        grouped = encoder and stage.kind not in ("siamese", "dialogue")
        assert training.train_sampling_strategy == ("group_by_length" if grouped else "random")


def test_source_stages_may_have_epochs_of_their_own() -> None:
    epochs, stages = {}, (EMOTION_ENCODER, SENTIMENT_ENCODER, RECIPES["model-2"].final, CSR)
    for given in ([], ["--source_num_train_epochs", "2"]):
        args = parse_run_arguments(["--num_train_epochs", "5", "--common_num_train_epochs", "7", *given])
        epochs[len(given)] = {stage.name: stage_arguments(stage, args).num_train_epochs for stage in stages}
    assert epochs[0] == {"emotion-encoder": 5, "sentiment-encoder": 5, "multitask": 5, "csr": 7}
    assert epochs[2] == epochs[0] | {"sentiment-encoder": 2}


def test_dropout_of_the_encoder() -> None:
    assert parse_run_arguments(["--encoder_dropout", "0.3"]).model.encoder_dropout == 0.3
    assert parse_run_arguments(["--encoder_dropout", "-1"]).model.encoder_dropout is None  # its own
    with pytest.raises(ValueError, match=r"--encoder_dropout must be below 1, got 1\.0"):
        parse_run_arguments(["--encoder_dropout", "1"])


@pytest.mark.parametrize("fraction", ["0", "-0.1", "1.01"])
def test_share_of_the_emotion_texts_lies_between_0_and_1(fraction: str) -> None:
    with pytest.raises(
        ValueError, match=rf"--emotion_train_fraction must be above 0 and at most 1, got {float(fraction)}"
    ):
        parse_run_arguments(["--emotion_train_fraction", fraction])


def test_number_of_training_texts() -> None:
    def sizes(*argv: str) -> list[int]:
        data = parse_run_arguments(list(argv)).data
        return [data.sample_size(task, 80) for task in ("emotion", "sentiment")]

    assert sizes() == sizes("--emotion_train_fraction", "1") == sizes("--max_train_samples", "100") == [80, 80]
    assert sizes("--emotion_train_fraction", "0.25") == [20, 80]
    assert sizes("--emotion_train_fraction", "0.001") == [1, 80]
    assert sizes("--max_train_samples", "40") == [40, 40]
    # A share of what is left.
    assert sizes("--max_train_samples", "40", "--emotion_train_fraction", "0.25") == [10, 40]


@pytest.mark.parametrize("amx", [False, True])
@pytest.mark.parametrize("avx512", [False, True])
def test_cpus_without_bf16_matrices_are_told_apart(monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    assert supports_fast_bf16() is (amx or avx512)


def test_stages_take_their_own_options() -> None:
    options = (
        "--output_dir out --learning_rate 0.1 --siamese_learning_rate 0.2 --common_learning_rate 0.3 "
        "--dialogue_learning_rate 0.4 --dialogue_num_train_epochs 7 --dialogue_train_batch_size 8 "
        "--num_train_epochs 1 --siamese_num_train_epochs 2 --common_num_train_epochs 3 "
        "--per_device_train_batch_size 4 --siamese_train_batch_size 5 --common_train_batch_size 6 "
        "--bf16 True --seed 9 --weight_decay 0.5"
    )
    args = parse_run_arguments(options.split())

    def taken(stage: Stage) -> tuple[Any, ...]:
        training = stage_arguments(stage, args)
        assert training.output_dir == str(Path("out") / stage.name)
        assert training.seed == 9 + stage.seed_offset and training.weight_decay == 0.5
        return (
            training.learning_rate,
            training.num_train_epochs,
            training.per_device_train_batch_size,
            training.bf16,
        )

    expected = {
        "multitask": (0.1, 1, 4, True),
        "siamese": (0.2, 2, 5, False),
        "csr": (0.3, 3, 6, False),
        "dialogue": (0.4, 7, 8, False),
    }
    names = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "bf16")
    for stage in stages_of(RECIPES.values()):
        of_kind = dict(zip(names, expected["multitask" if stage.trains_encoder else stage.kind], strict=True))
        if stage.kind == "siamese":
            of_kind["num_train_epochs"] = expected["siamese"][1]  # of its pairs, with the encoder, too
        if stage.kind == "dialogue":
            of_kind["per_device_train_batch_size"] = expected["dialogue"][2]  # dialogues, not texts
        # What belongs to the recipe wins.
        assert taken(stage) == tuple((of_kind | dict(stage.training))[name] for name in names)
    assert args.training.output_dir == "out" and args.training.bf16 is True
    assert taken(SIAMESE) == expected["siamese"]


def test_arguments_can_be_derived_from_one_another() -> None:
    training = parse_run_arguments(["--lr_scheduler_type", "cosine", "--warmup_steps", "0.2"]).training
    assert dataclasses.replace(training).to_dict() == training.to_dict()
