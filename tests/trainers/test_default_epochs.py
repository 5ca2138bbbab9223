"""How many epochs a training takes that names none."""

from pathlib import Path
from types import ModuleType

from benchmarks.shares import EPOCHS
from modeling_csr import MultitaskForSequenceClassification
from tests.helpers import tiny_run
from trainers import CSRTrainingArguments, MultitaskTrainer, SiameseTrainingArguments, StageTrainingArguments
from trainers.training_arguments import default_epochs


def test_few_texts_take_more_epochs() -> None:
    found = {texts: default_epochs(range(texts), 4.0) for texts in (99, 100, 399, 400, 1_199, 1_200, 3_999, 4_000)}
    assert found == {99: 40, 100: 20, 399: 20, 400: 10, 1_199: 10, 1_200: 6, 3_999: 6, 4_000: 4}


def test_they_are_those_of_the_benchmarks() -> None:
    """Shares of E-c's training texts."""
    assert {share: default_epochs(range(round(6_838 * share)), 4.0) for share in EPOCHS} == EPOCHS


def test_the_largest_of_several_tasks_counts() -> None:
    assert default_epochs({"emotion": range(50), "sentiment": range(5_000)}, 4.0) == 4
    assert default_epochs(iter(range(50)), 4.0) == default_epochs(None, 4.0) == 4


def test_what_is_set_stays(tmp_path: Path) -> None:
    args = StageTrainingArguments(output_dir=str(tmp_path), num_train_epochs=3)
    assert args.with_epochs(range(50)) is args
    assert CSRTrainingArguments(output_dir=str(tmp_path)).with_epochs(range(50)).num_train_epochs == 100
    # An encoder that is trained with its space takes as long as one that is trained alone.
    joint = CSRTrainingArguments(output_dir=str(tmp_path), trains="emotion_encoder")
    assert [joint.with_epochs(range(texts)).num_train_epochs for texts in (50, 4_000)] == [40, 4]
    # A Siamese network has eight pairs of each text, which its encoder reads one by one.
    for trains, epochs in {"siamese": [30, 3], "encoder": [10, 1]}.items():
        pairs = SiameseTrainingArguments(output_dir=str(tmp_path), trains=trains)
        assert [pairs.with_epochs(range(texts)).num_train_epochs for texts in (50, 4_000)] == epochs


def test_the_trainer_counts_its_texts(tiny: ModuleType, tmp_path: Path) -> None:
    args = StageTrainingArguments(output_dir=str(tmp_path), use_cpu=True, bf16_weights=False, disable_tqdm=True)
    model = MultitaskForSequenceClassification(tiny.config({"emotion": tiny.EMOTION}))
    rows = [{"text": text, "labels": ["joy"]} for text in tiny.texts(5)]
    trainer = MultitaskTrainer(model, args, train_dataset=rows, processing_class=tiny.tokenizer())
    assert args.num_train_epochs is None and trainer.args.num_train_epochs == 40
    trainer.train()
    assert trainer.state.global_step == 40


def test_a_run_says_how_many_it_took(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path, train=12, dev=8)
    of_encoder = {"num_train_epochs": None, "per_device_train_batch_size": 16}
    tiny_run.example("run_csr").main(tiny_run.options(place, place / "out", recipe=["bert"], **of_encoder))
    folder = place / "out" / "emotion-encoder"
    assert tiny_run.read_json(folder / "training_args.json")["num_train_epochs"] == 40
    assert "num_train_epochs: 40" in (folder / "README.md").read_text(encoding="utf-8")
