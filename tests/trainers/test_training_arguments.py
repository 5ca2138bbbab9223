"""Training arguments of transformers mean here what they mean there, or are refused before any training."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainingArguments

from tests.helpers import tiny_run, tiny_trainers
from trainers.csr_trainer import CSRTrainingArguments
from trainers.multitask_trainer import MultitaskTrainer
from trainers.recipes import find_recipe
from trainers.runs.best_metric import check_best_metric, stage_metrics, with_best_metric
from trainers.runs.task_data import load_task
from trainers.siamese_trainer import SiameseTrainingArguments
from trainers.training_arguments import FIXED_ARGUMENTS, StageTrainingArguments

ROWS = [
    {"text": text, "labels": labels.tolist()}
    for text, labels in zip(tiny_trainers.texts(11), tiny_trainers.emotions(11), strict=True)
]


def trainer(folder: Path, **options: Any) -> MultitaskTrainer:
    """Eleven training texts, seven dev texts, and batches of four."""
    quick: dict[str, Any] = {"num_train_epochs": 2, "use_cpu": True, "bf16_weights": False, "disable_tqdm": True}
    sizes = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 4}
    return MultitaskTrainer(
        tiny_trainers.MultitaskForSequenceClassification(tiny_trainers.config({"emotion": tiny_trainers.EMOTION})),
        StageTrainingArguments(output_dir=str(folder), **quick | sizes | options),
        train_dataset=ROWS,
        eval_dataset=ROWS[:7],
        processing_class=tiny_trainers.tokenizer(),
    )


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"include_num_input_tokens_seen": "all"},
        {"include_num_input_tokens_seen": "non_padding"},
        {"eval_delay": 1},
        {"eval_on_start": True},
        {"include_for_metrics": ["inputs", "loss"]},
        {"eval_accumulation_steps": 1},
        {"train_sampling_strategy": "random"},
        {"train_sampling_strategy": "sequential"},
        {"auto_find_batch_size": True},
        {"dataloader_drop_last": True},
        {"dataloader_drop_last": True, "train_sampling_strategy": "random"},
        {"ignore_data_skip": True},
        {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}},
        {"neftune_noise_alpha": 5.0, "freeze_word_embeddings": False},
        {"save_only_model": True},
        {"lr_scheduler_type": "reduce_lr_on_plateau"},
        {"save_strategy": "best", "metric_for_best_model": "jaccard", "load_best_model_at_end": True},
        {"metric_for_best_model": "eval_macro_f1", "load_best_model_at_end": True},
        {"eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 4},
        {"bf16": True},
        {"average_tokens_across_devices": False},
        {"optim": "adafactor", "torch_empty_cache_steps": 1, "activation_checkpointing": True, "use_cache": True}
        | {"save_on_each_node": True, "logging_nan_inf_filter": False, "dataloader_num_workers": 1, "data_seed": 7}
        | {"lr_scheduler_type": "cosine_with_restarts", "lr_scheduler_kwargs": {"num_cycles": 2}},
        {"logging_first_step": True, "logging_strategy": "epoch"},
        {"max_grad_norm": 0.0},
        {"max_steps": 3},
        {"length_column_name": "size"},
        {"restore_callback_states_from_checkpoint": True},
        {"skip_memory_metrics": False},
    ],
    ids=json.dumps,
)
def test_option_trains_and_scores_all_dev_texts(tmp_path: Path, options: dict[str, Any]) -> None:
    trained = trainer(tmp_path, **options)
    trained.train()
    results, logits = trained.report()
    assert logits["emotion"].shape == (7, 3) and 0 <= results["metrics"]["jaccard"] <= 1


@pytest.mark.parametrize(("drop", "steps"), [(False, 6), (True, 4)])
def test_only_training_batches_are_dropped(tmp_path: Path, drop: bool, steps: int) -> None:
    trained = trainer(tmp_path, dataloader_drop_last=drop, train_sampling_strategy="random")
    trained.train()
    assert trained.state.global_step == steps
    assert len(trained.get_eval_dataloader()) == 2 and trained.args.dataloader_drop_last is drop


def test_dropping_every_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"--dataloader_drop_last leaves no batch: there are 11 training rows, and .* 12"
    ):
        trainer(tmp_path, dataloader_drop_last=True, per_device_train_batch_size=12).train()


OTHER_VALUES = {
    "batch_eval_metrics": True,
    "bf16_full_eval": True,
    "deepspeed": "zero2.json",
    "eval_do_concat_batches": False,
    "eval_use_gather_object": True,
    "fp16_full_eval": True,
    "fsdp": "full_shard",
    "label_names": ["targets"],
    "label_smoothing_factor": 0.1,
    "parallelism_config": {"dp_shard_size": 2},
    "prediction_loss_only": True,
    "remove_unused_columns": True,
    "resume_from_checkpoint": "out/bert/checkpoint-5",
    "use_liger_kernel": True,
}


def test_options_with_one_value_are_refused() -> None:
    assert OTHER_VALUES.keys() == FIXED_ARGUMENTS.keys()
    for name, value in OTHER_VALUES.items():
        with pytest.raises(ValueError, match=f"--{name} must be left at"):
            StageTrainingArguments(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "option", "value", "choices"),
    [
        (StageTrainingArguments, "task_sampling", "in_turn", "mixed, by_task"),
        (StageTrainingArguments, "hub_strategy", "checkpoint", "end, every_save"),
        (SiameseTrainingArguments, "pair_strategy", "all", "random, distinct, balanced"),
        (CSRTrainingArguments, "trains", "all", "classifier, common_space, emotion_encoder, encoders"),
    ],
)
def test_choices_are_checked_in_python_too(
    arguments: type[StageTrainingArguments], option: str, value: str, choices: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"--{option} must be one of {choices}, got '{value}'"):
        arguments(output_dir=str(tmp_path), **{option: value})


@pytest.mark.parametrize(
    "batches", [{"split_batches": True}, {"dispatch_batches": True}, {"even_batches": False}], ids=json.dumps
)
def test_batches_of_another_shape_are_refused(batches: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="--accelerator_config must leave"):
        StageTrainingArguments(accelerator_config=batches)


def test_half_precision_that_has_no_effect_is_refused() -> None:
    with pytest.raises(ValueError, match="--fp16 has no effect on a CPU"):
        StageTrainingArguments(fp16=True, use_cpu=True)
    with pytest.raises(ValueError, match="--tf32 requires"):
        StageTrainingArguments(tf32=True, use_cpu=True)


@pytest.mark.parametrize("variable", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_what_accelerate_is_configured_for_is_refused(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "true")
    with pytest.raises(ValueError, match=f"{variable} is set"):
        StageTrainingArguments(use_cpu=True)


def test_arguments_of_the_stock_class_are_taken(tmp_path: Path) -> None:
    stock = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, learning_rate=0.5)
    taken = StageTrainingArguments.derived_from(stock)
    assert taken.remove_unused_columns is False and taken.learning_rate == 0.5


# -- the metric that chooses the best checkpoint -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def arguments(place: Path, **changes: Any) -> Any:
    return tiny_trainers.parse_run_arguments(tiny_run.options(place, place / "out", **changes))


def test_stages_choose_by_what_they_have(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    best = {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"}
    args = arguments(place, metric_for_best_model="jaccard", **best)
    tasks = {task: load_task(task, args.data, 1) for task in ("emotion", "sentiment")}
    stages = {stage.name: stage for name in ("model-3.3", "model-3.2", "model-2") for stage in find_recipe(name).stages}
    chosen = {name: with_best_metric(args.training, stage, tasks) for name, stage in stages.items()}
    assert {name: (one.metric_for_best_model, one.greater_is_better) for name, one in chosen.items()} == {
        "emotion-encoder": ("jaccard", True),
        "sentiment-encoder": ("loss", False),
        "siamese": ("loss", False),
        "csr": ("jaccard", True),
        "csr-reconstruction": ("loss", False),
        "csr-frozen": ("jaccard", True),
        "multitask": ("emotion_jaccard", True),
    }
    with caplog.at_level("INFO"):
        check_best_metric(args.training, list(stages.values()), tasks)
    assert "siamese has no jaccard: its loss chooses its best checkpoint." in caplog.text
    assert "pair_auc" in stage_metrics(stages["siamese"], tasks)


def test_metric_of_no_stage_is_refused(place: Path) -> None:
    told = tiny_run.refusal(
        tiny_run.example("run_csr"), tiny_run.options(place, place / "refused", metric_for_best_model="jacard")
    )
    assert "--metric_for_best_model jacard: no stage has it" in told and "emotion-encoder: loss, jaccard" in told
    assert not (place / "refused").exists()


def test_run_of_several_stages_chooses_by_a_metric(place: Path) -> None:
    best = {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"}
    few = {"num_train_epochs": 2, "siamese_num_train_epochs": 1, "common_num_train_epochs": 2}
    argv = tiny_run.options(place, place / "best", metric_for_best_model="macro_f1", **best, **few)
    tiny_run.example("run_csr").main(argv)
    for stage in ("emotion-encoder", "csr"):
        log = tiny_run.read_json(place / "best" / stage / "training_log.json")
        best_score = max(entry["eval_macro_f1"] for entry in log if "eval_macro_f1" in entry)
        results = tiny_run.read_json(place / "best" / stage / "eval_results.json")
        assert results["metrics"]["macro_f1"] == pytest.approx(best_score, abs=1e-6)
