"""Whole runs with `--push_to_hub`: what is on the Hub then, and what people can do with it."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load as load_safetensors
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import modeling_csr  # noqa: F401
from tests.helpers import tiny_run
from tests.helpers.published_run import TEXTS, TOKEN, organisation_hub, run_csr, use

STAGES = ("emotion-encoder", "sentiment-encoder", "siamese", "csr")
NAMES = {stage: f"org/csr-emotion-{stage}" for stage in STAGES} | {"csr": "org/csr-emotion"}
SAME_TRAINING = {"threshold": "per_label", "num_train_epochs": 3, "common_num_train_epochs": 4}


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with organisation_hub() as server:
        yield server


@pytest.fixture(scope="module")
def run(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A run of which one stage may not be pushed at first, and the same command again."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    argv = tiny_run.options(
        place, place / "out", push_to_hub=True, hub_model_id="org/csr-emotion", hub_patience=60, **SAME_TRAINING
    )
    hub.fail("/api/models/org/csr-emotion-siamese/commit/", 403, times=-1)
    first = run_csr(hub, place / "home", *argv)
    commits = {name: len(repository.commits) for name, repository in hub.repositories.items()}
    written = {stage: (place / "out" / stage / "model.safetensors").stat().st_mtime_ns for stage in STAGES}
    collections = list(hub.collections)
    hub.mend()
    second = run_csr(hub, place / "home", *argv)
    assert second.returncode == 0, second.stderr
    return SimpleNamespace(
        place=place, out=place / "out", first=first, second=second, commits=commits, written=written, made=collections
    )


def metadata(hub: Any, stage: str) -> dict[str, Any]:
    return hub.repositories[NAMES[stage]].card_data()


def card(hub: Any, name: str, revision: str = "main") -> str:
    return hub.repositories[name].files(revision)["README.md"].decode()


# -- a failure on the way ---------------------------------------------------------------------------------------------


def test_refused_push_does_not_stop_the_training(run: SimpleNamespace) -> None:
    assert run.first.returncode == 1
    error = run.first.stderr[run.first.stderr.index("csr-emotion train: error:") :]
    assert f"All stages are in {run.out}, but siamese could not be published: org/csr-emotion-siamese" in error
    assert "403" in error and "Repeat the command to continue; nothing is trained again." in error
    assert "Traceback" not in run.first.stderr
    # The stage after it has been trained and published.
    assert run.commits == {name: 1 if name == NAMES["siamese"] else 2 for name in NAMES.values()}
    assert run.made == []


def test_repeated_command_publishes_what_was_missing(hub: Any, run: SimpleNamespace) -> None:
    for stage in STAGES:
        assert len(hub.repositories[NAMES[stage]].commits) == 2
        assert (run.out / stage / "model.safetensors").stat().st_mtime_ns == run.written[stage]
        assert f"{stage}: already finished." in run.second.stderr
    assert 'model="org/csr-emotion"' in run.second.stdout


# -- what is on the Hub -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_repository_is_the_folder(stage: str, hub: Any, run: SimpleNamespace) -> None:
    repository = hub.repositories[NAMES[stage]]
    files = repository.files()
    names = {path.name for path in (run.out / stage).iterdir()} - {"dev_logits.npy"}
    assert files.keys() - {".gitattributes"} == names
    assert {name: files[name] for name in names} == {name: (run.out / stage / name).read_bytes() for name in names}
    assert {"model.safetensors", "config.json", "tokenizer.json", "pipeline_emotion.py", "eval_results.json"} <= names
    assert repository.tags == {"model-3.3": repository.branches["main"]}
    assert repository.commits[-1].title == f"{stage} of model-3.3"


def test_stages_name_what_they_were_made_of(hub: Any, run: SimpleNamespace) -> None:
    found = {stage: metadata(hub, stage).get("base_model") for stage in STAGES}
    # The encoder is a folder of this machine, which has no name for others.
    assert found == {
        "emotion-encoder": None,
        "sentiment-encoder": None,
        "siamese": [NAMES["emotion-encoder"]],
        "csr": [NAMES["emotion-encoder"], NAMES["sentiment-encoder"], NAMES["siamese"]],
    }
    for stage in STAGES:
        assert f"# {NAMES[stage]}\n" in card(hub, NAMES[stage])
        assert metadata(hub, stage)["pipeline_tag"] == (
            "feature-extraction" if stage == "siamese" else "text-classification"
        )
        assert "datasets" not in metadata(hub, stage)


def test_card_compares_with_the_plain_encoder(hub: Any, run: SimpleNamespace) -> None:
    """The emotion encoder is published before the others, and its own card has nothing to compare with."""
    assert "| plain encoder |" in card(hub, NAMES["csr"])
    for stage in ("emotion-encoder", "sentiment-encoder"):
        assert "plain encoder" not in card(hub, NAMES[stage])
    baseline = tiny_run.read_json(run.out / "emotion-encoder" / "eval_results.json")["metrics"]["jaccard"]
    (row,) = [line for line in card(hub, NAMES["csr"]).splitlines() if line.startswith("| Jaccard accuracy |")]
    assert row.endswith(f"| {baseline:.4f} |")


def test_collection_has_all_stages(hub: Any, run: SimpleNamespace) -> None:
    (collection,) = [entry for entry in hub.collections if "csr-emotion" in entry.title]
    assert collection.namespace == "org" and "model-3.3" in collection.description
    assert [item["id"] for item in collection.items] == list(NAMES.values())


def test_nothing_of_this_machine_is_published(hub: Any, run: SimpleNamespace) -> None:
    for name in NAMES.values():
        for commit in hub.repositories[name].commits:
            for path, file in commit.files.items():
                assert str(run.place).encode() not in file.content, path
                assert TOKEN.encode() not in file.content, path
    assert not any(TOKEN in path.read_text("utf-8", "replace") for path in run.out.rglob("*") if path.is_file())


# -- in use -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def local_logits(run: SimpleNamespace) -> list[list[float]]:
    model = AutoModelForSequenceClassification.from_pretrained(run.out / "csr")
    inputs = AutoTokenizer.from_pretrained(run.out / "csr")(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return model(**inputs).logits.tolist()


def test_model_from_the_hub_and_then_from_the_cache(
    hub: Any, run: SimpleNamespace, local_logits: list[list[float]], tmp_path: Path
) -> None:
    """In processes that know nothing of this repository."""
    online = use(hub, tmp_path / "home", NAMES["csr"])
    logits, shape, answers, report, module = online
    torch.testing.assert_close(torch.tensor(logits), torch.tensor(local_logits))
    assert shape == [len(TEXTS), 8] and not any(report)
    assert module.startswith("transformers_modules.")
    thresholds = tiny_run.read_json(run.out / "csr" / "config.json")["thresholds"]
    for answer, row in zip(answers, torch.tensor(logits).sigmoid().tolist(), strict=True):
        expected = {
            label: score
            for label, score, threshold in zip(tiny_run.EMOTIONS, row, thresholds, strict=True)
            if score >= threshold
        }
        assert {entry["label"]: entry["score"] for entry in answer} == pytest.approx(expected, abs=1e-5)
    asked = len(hub.requests)
    assert use(hub, tmp_path / "home", NAMES["csr"], HF_HUB_OFFLINE="1") == online
    assert len(hub.requests) == asked


def test_model_from_the_hub_with_the_package(
    hub: Any, run: SimpleNamespace, local_logits: list[list[float]], tmp_path: Path
) -> None:
    """No question whether the code may be trusted: it is the package's own."""
    logits, _, answers, report, module = use(hub, tmp_path / "home", NAMES["csr"], with_package="1")
    torch.testing.assert_close(torch.tensor(logits), torch.tensor(local_logits))
    assert len(answers) == len(TEXTS) and not any(report)
    assert module == "modeling_csr.modeling_csr"


# -- killed -----------------------------------------------------------------------------------------------------------


def test_killed_between_two_pushes(hub: Any, run: SimpleNamespace, tmp_path: Path) -> None:
    argv = tiny_run.options(
        run.place,
        tmp_path / "out",
        push_to_hub=True,
        hub_model_id="org/killed",
        reuse_stages_from=run.out,
        **SAME_TRAINING,
    )
    hub.fail("/api/models/org/killed-sentiment-encoder", 503, times=-1)
    log = tmp_path / "log"
    process = run_csr(hub, tmp_path / "home", *argv, stdout=log, stderr=log)
    deadline = time.monotonic() + 600
    while not hub.asked("/api/models/org/killed-sentiment-encoder"):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    process.kill()
    process.wait()
    hub.mend()
    published = {name: len(found.commits) for name, found in hub.repositories.items() if "killed" in name}
    assert published == {"org/killed-emotion-encoder": 2, "org/killed-sentiment-encoder": 1}

    result = run_csr(hub, tmp_path / "home", *argv)
    assert result.returncode == 0, result.stderr
    found = {name: repository for name, repository in hub.repositories.items() if "killed" in name}
    assert list(found) == [name.replace("csr-emotion", "killed") for name in NAMES.values()]
    for name, repository in found.items():
        assert len(repository.commits) == 2
        assert repository.tags == {"model-3.3": repository.branches["main"]}
        # Copied stages are not called what they were called.
        assert "csr-emotion-" not in card(hub, name) and f"# {name}\n" in card(hub, name)
        assert (
            repository.files()["model.safetensors"]
            == hub.repositories[name.replace("killed", "csr-emotion")].files()["model.safetensors"]
        )
    (collection,) = [entry for entry in hub.collections if "killed" in entry.title]
    assert [item["id"] for item in collection.items] == list(found)


# -- checkpoints and seeds --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_seed(hub: Any, run: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Plain BERT with another seed, private, on a branch, with everything in its arguments that could leak paths."""
    place = tmp_path_factory.mktemp("other")
    argv = tiny_run.options(
        run.place,
        place / "out",
        recipe=["bert"],
        seed=43,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        hub_strategy="every_save",
        hub_private_repo=True,
        hub_token=TOKEN,
        push_to_hub=True,
        hub_model_id="org/bert",
        reuse_stages_from=run.out,
        other_seeds=run.out,
        **SAME_TRAINING,
    )
    result = run_csr(hub, place / "home", *argv)
    assert result.returncode == 0, result.stderr
    return SimpleNamespace(place=place, out=place / "out" / "emotion-encoder", repository=hub.repositories["org/bert"])


def test_each_checkpoint_is_a_model(other_seed: SimpleNamespace, tmp_path: Path) -> None:
    _, *commits = other_seed.repository.commits
    # 80 texts in batches of 8.
    assert [commit.title for commit in commits] == [
        *(f"emotion-encoder, step {step}" for step in (10, 20, 30)),
        "emotion-encoder of bert",
    ]
    weights = []
    for commit in commits:
        files = {path: file.content for path, file in commit.files.items()}
        assert not [path for path in files if Path(path).suffix in {".bin", ".pt", ".pth", ".pkl", ".npy"}]
        assert "trainer_state.json" not in files
        auto_map = json.loads(files["config.json"])["auto_map"]
        assert {f"{entry.split('.')[0]}.py" for entry in auto_map.values()} <= files.keys()
        folder = tmp_path / commit.oid
        folder.mkdir()
        for path, content in files.items():
            (folder / path).write_bytes(content)
        model = AutoModelForSequenceClassification.from_pretrained(folder)
        inputs = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
        assert model(**inputs).logits.shape == (3, 3)
        weights.append(load_safetensors(files["model.safetensors"]))
    names = [name for name in weights[0] if "classifier" in name or "heads" in name]
    assert names and not any(torch.equal(weights[0][name], weights[1][name]) for name in names)
    assert other_seed.repository.private


def test_cards_of_checkpoints_say_so(other_seed: SimpleNamespace) -> None:
    _, *checkpoints, final = other_seed.repository.commits
    for commit in checkpoints:
        content = commit.files["README.md"].content.decode()
        data = yaml.safe_load(content.split("---\n")[1])
        assert "the training is not finished" in content and "model-index" not in data
        assert data["pipeline_tag"] == "text-classification"
        assert 'pipeline("emotion-classification", model="org/bert"' in content
        assert "common_space" not in content
    assert "not finished" not in final.files["README.md"].content.decode()
    # Only what was tagged is a result.
    assert other_seed.repository.tags == {"bert": final.oid}


def test_finished_stage_is_the_one_of_this_machine(other_seed: SimpleNamespace) -> None:
    files = other_seed.repository.files()
    for path in other_seed.out.iterdir():
        if path.suffix != ".npy":
            assert files[path.name] == path.read_bytes(), path


def test_card_shows_mean_and_spread_over_seeds(other_seed: SimpleNamespace, run: SimpleNamespace) -> None:
    content = other_seed.repository.files()["README.md"].decode()
    assert "| mean ± std, 2 seeds |" in content and "One seed." not in content
    runs = (run.out / "emotion-encoder", other_seed.out)
    first, second = (tiny_run.read_json(folder / "eval_results.json")["metrics"]["macro_f1"] for folder in runs)
    (row,) = [line for line in content.splitlines() if line.startswith("| macro F1 |")]
    mean, spread = row.split("|")[-2].split("±")
    assert float(mean) == pytest.approx((first + second) / 2, abs=5e-5)
    assert float(spread) == pytest.approx(abs(first - second) / 2**0.5, abs=5e-5)


def test_arguments_tell_nothing_of_this_machine(other_seed: SimpleNamespace, run: SimpleNamespace) -> None:
    for commit in other_seed.repository.commits[1:]:
        assert "training_args.json" in commit.files
        for path, file in commit.files.items():
            # What the arguments say of other runs is looked at below.
            secrets = [TOKEN, str(other_seed.place), str(tiny_run.REPOSITORY)]
            for secret in (*secrets, *([str(run.place)] if path != "training_args.json" else [])):
                assert secret.encode() not in file.content, (commit.title, path)


def test_arguments_tell_nothing_of_other_runs(other_seed: SimpleNamespace, run: SimpleNamespace) -> None:
    assert str(run.place) not in (other_seed.out / "training_args.json").read_text(encoding="utf-8")


def test_private_texts_are_not_published(hub: Any, run: SimpleNamespace, other_seed: SimpleNamespace) -> None:
    with (run.place / "data" / "posts" / "train.csv").open(encoding="utf-8") as file:
        texts = [row["text"].encode() for row in csv.DictReader(file)]
    for repository in hub.repositories.values():
        for path, content in repository.files().items():
            assert not any(text in content for text in texts), path
