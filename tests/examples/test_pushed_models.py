"""The models of each command on the Hub, and in a process that knows nothing of this package."""

import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers import fresh_process, hub_server, tiny_run

TOKEN = "hf_0nlyItsOwnerKnows"
# By repository, the folder below the place of the runs that it is to be. The search's depends on its best trial.
REPOSITORIES = {
    "org/talk-emotion-encoder": "dialogue/emotion-encoder",
    "org/talk": "dialogue/dialogue",
    "me/several-emotion-encoder": "several/seed-42/emotion-encoder",
    "me/several-intensity-encoder": "several/seed-42/intensity-encoder",
    "me/several-valence-encoder": "several/seed-42/valence-encoder",
    "me/several": "several/seed-42/all-in-one",
    "me/searched": "searched/best-trial-*/emotion-encoder",
    "org/branches": "branches/emotion-encoder",
}
# One process for all: the libraries take longer to import than these runs.
RUN = """
import json, runpy, sys
published, refused = map(json.loads, sys.argv[2:])
main = {name: runpy.run_path(f"{sys.argv[1]}/examples/{name}.py")["main"] for name, _ in published}
for name, argv in refused:
    try:
        main[name](argv)
    except SystemExit as error:
        print("REFUSED", error)
for _ in range(2):
    for name, argv in published:
        main[name](argv)
"""
# What cannot be published is said before anything is trained.
REFUSED = [
    ("run_multitask", ["--seeds", "1", "2"], "--seeds is for comparisons: use --push_to_hub with one of them."),
    ("run_search", ["--hub_model_id", "nowhere/x"], "--hub_model_id: there is no organisation nowhere."),
]
USE = """
import json, sys
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline
texts = ["so happy today, laughing with a friend", "furious shouting again", "the day was plain"]
code = {"trust_remote_code": True}
for names in json.loads(sys.argv[1]):
    found = []
    for name in names:
        tokenizer = AutoTokenizer.from_pretrained(name, **code)
        config = AutoConfig.from_pretrained(name, **code)
        model, report = AutoModelForSequenceClassification.from_pretrained(name, output_loading_info=True, **code)
        loaded = {"report": [sorted(part) for part in report.values()], "module": type(model).__module__}
        base = AutoModel.from_pretrained(name, **code)
        tokens = tokenizer(texts, padding=True, return_tensors="pt")
        with torch.inference_mode():
            if config.model_type == "dialogue":
                tracker = model.tracker(tokenizer)
                loaded["answers"] = [tracker.add(text, speaker=who) for text, who in zip(texts, "ABA")]
                talk = {key: tokens[key][None] for key in ("input_ids", "attention_mask")}
                speakers = {"speaker_ids": torch.tensor([[0, 1, 0]])}
                loaded["logits"] = [model(**talk, **speakers).logits.tolist()]
                loaded["vectors"] = base(**talk, **speakers)[0].tolist()
            else:
                output = model(**tokens)
                loaded["logits"] = [logits.tolist() for logits in (output.task_logits or {}).values()]
                loaded["vectors"] = base(**tokens).representation.tolist()
                classifier = pipeline("emotion-classification", model=name, **code)
                tasks = list(config.tasks)
                loaded["answers"] = [classifier(texts, top_k=None, main_task=task) for task in tasks]
        loaded["encoder"] = getattr(config, "encoder", config).model_type
        found.append(loaded)
    print("FOUND", json.dumps(found))
assert "modeling_csr" not in sys.modules and "trainers" not in sys.modules
"""


def talks(dialogues: int, seed: int) -> list[dict[str, Any]]:
    """Dialogues of four utterances by two speakers."""
    rng = random.Random(seed)
    rows = []
    for number in range(4 * dialogues):
        label = rng.choice(list(tiny_run.EMOTIONS))
        text = " ".join([tiny_run.EMOTIONS[label], *rng.sample(tiny_run.FILLERS, 4)])
        where = {"dialogue_id": number // 4, "utterance_id": number % 4, "speaker": "AB"[number % 2]}
        rows.append({"text": text, "label": label, **where})
    return rows


def commands(place: Path) -> list[tuple[str, list[str]]]:
    """By command its options; the multi-task model and the search are named by their folders."""
    quick = {"num_train_epochs": 1, "push_to_hub": True, "hub_patience": 20}
    unset = dict.fromkeys(("recipe", "encoder", "emotion_label_columns", "sentiment_dataset"))
    own = {"search_space": place / "space.yaml", "n_trials": 2, "recipe": "bert", "threshold": "global"}
    talk = unset | {
        "encoder": place / "encoder",
        "emotion_dataset": place / "talks",
        "recipe": ["dialogue"],
    }
    small = {"dialogue_size": 8, "dialogue_num_train_epochs": 1, "hub_model_id": "org/talk"}
    moods = {"emotion_dataset": place / "data" / "moods", "branches": ["cnn:8:3", "bilstm:8"], "embedding_size": 8}
    several = unset | {"emotion_dataset": None, "encoder": place / "encoder", "max_train_samples": 40}
    return [
        ("run_dialogue", tiny_run.options(place, place / "dialogue", **quick, **talk, **small)),
        ("run_multitask", tiny_run.options(place, place / "several", **quick, **several)),
        ("run_search", tiny_run.options(place, place / "searched", **quick, **own)),
        (
            "run_recurrent",
            tiny_run.options(place, place / "branches", **quick, **unset | moods, hub_model_id="org/branches"),
        ),
    ]


def run(hub: Any, home: Path, *argv: str, token: str | None = TOKEN, path: str = str(tiny_run.REPOSITORY)) -> Any:
    environment = hub.environment(home, token, PYTHONPATH=path, OMP_NUM_THREADS="1")
    result = fresh_process.run(*argv, cwd=home.parent, env=environment)
    assert TOKEN not in result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with hub_server.HubServer({TOKEN: hub_server.Token("me", organisations={"org": "admin"})}) as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, an encoder, and no run yet."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    for split, size in (("train", 12), ("dev", 4)):
        tiny_run.write_csv(place / "talks" / f"{split}.csv", talks(size, len(split)))
    (place / "space.yaml").write_text("learning_rate: {low: 1e-3, high: 2e-2, log: true}\n")
    return place


@pytest.fixture(scope="module")
def finished(hub: Any, place: Path) -> SimpleNamespace:
    """Each command with `--push_to_hub`, and once more; before them those that are refused."""
    options = dict(commands(place))
    elsewhere = ["--output_dir", str(place / "refused")]
    refused = [(name, [*options[name], *elsewhere, *further]) for name, further, _ in REFUSED]
    argv = [str(tiny_run.REPOSITORY), json.dumps(commands(place)), json.dumps(refused)]
    result = run(hub, place / "home", "-c", RUN, *argv)
    assert result.returncode == 0, result.stderr
    return SimpleNamespace(place=place, stdout=result.stdout)


@pytest.fixture(scope="module")
def loaded(
    hub: Any, finished: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """By repository, what a process with an empty cache makes of it, and of the folder that it was."""
    # Without `site` (-S) no hook of an editable installation runs: this package is nowhere.
    libraries = os.pathsep.join(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    names = [(name, str(folder_of(finished, name))) for name in REPOSITORIES]
    home = tmp_path_factory.mktemp("elsewhere") / "home"
    result = run(hub, home, "-S", "-c", USE, json.dumps(names), token=None, path=libraries)
    assert result.returncode == 0, result.stderr
    found = [json.loads(line[6:]) for line in result.stdout.splitlines() if line.startswith("FOUND ")]
    return dict(zip(REPOSITORIES, found, strict=True))


def folder_of(finished: SimpleNamespace, name: str) -> Path:
    (folder,) = finished.place.glob(REPOSITORIES[name])
    return folder


def card(hub: Any, name: str) -> str:
    return hub.repositories[name].files()["README.md"].decode()


def test_each_stage_has_one_repository_and_the_last_the_name(hub: Any, finished: SimpleNamespace) -> None:
    """Of the search that is the best trial: neither the default settings nor the trials are published."""
    assert set(hub.repositories) == set(REPOSITORIES)
    titles = {entry.title: [item["id"] for item in entry.items] for entry in hub.collections}
    assert titles["several: all stages"] == [name for name in REPOSITORIES if name.startswith("me/several")]
    assert set(titles) == {f"{name}: all stages" for name in ("talk", "several", "searched", "branches")}


@pytest.mark.parametrize("name", REPOSITORIES)
def test_repository_is_the_folder_and_is_pushed_once(hub: Any, finished: SimpleNamespace, name: str) -> None:
    repository, folder = hub.repositories[name], folder_of(finished, name)
    # What creates the repository, and one push; the second was asked for and had nothing to do.
    assert len(repository.commits) == 2
    assert len(hub.asked(f"/api/models/{name}/preupload/main", "POST")) >= 2
    files = repository.files()
    assert files.keys() - {".gitattributes"} == {path.name for path in folder.iterdir() if path.suffix != ".npy"}
    assert files["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    for path, content in files.items():
        assert str(finished.place).encode() not in content, path


@pytest.mark.parametrize("name", REPOSITORIES)
def test_model_from_the_hub_gives_the_numbers_of_the_folder(loaded: dict[str, list[dict[str, Any]]], name: str) -> None:
    pushed, local = loaded[name]
    assert pushed["module"].startswith("transformers_modules.") and not any(pushed["report"])
    for part in ("logits", "vectors", "answers", "encoder"):
        assert pushed[part] == local[part] and pushed[part]
    assert (pushed["encoder"] == "recurrent-encoder") == (name == "org/branches")


def test_model_from_the_hub_answers_for_each_task(loaded: dict[str, list[dict[str, Any]]]) -> None:
    pushed, _ = loaded["me/several"]
    assert [len(logits[0]) for logits in pushed["logits"]] == [len(task[0]) for task in pushed["answers"]]
    _, intensity, valence = pushed["answers"]
    assert {entry["label"] for entry in intensity[0]} == {"anger", "fear", "joy", "sadness"}
    assert [entry["label"] for entry in valence[0]] == ["valence"]
    # Scores are those of the head, not probabilities.
    assert [text[0]["score"] for text in valence] == pytest.approx([row[0] for row in pushed["logits"][2]], abs=1e-5)


def test_hub_takes_the_metadata_of_all_cards(hub: Any, finished: SimpleNamespace) -> None:
    checks = hub.asked("/api/validate-yaml")
    assert len(checks) >= len(REPOSITORIES) and {check.status for check in checks} == {200}


def results(hub: Any, name: str) -> dict[str, set[str]]:
    """By data set, the metrics that the Hub reads out of a card."""
    (index,) = hub.repositories[name].card_data()["model-index"]
    return {entry["dataset"]["name"]: {metric["type"] for metric in entry["metrics"]} for entry in index["results"]}


OF_LABELS = {"jaccard", "micro_f1", "macro_f1"}
OF_CLASSES = {"accuracy", "micro_f1", "macro_f1", "weighted_f1"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("org/talk", {"talks": OF_CLASSES}),
        (
            "me/several",
            {
                "csr-emotion-posts": OF_LABELS,
                "csr-emotion-posts-intensity": {"pearson"},
                "csr-emotion-posts-valence": {"pearson"},
            },
        ),
        ("me/several-intensity-encoder", {"csr-emotion-posts-intensity": {"pearson"}}),
        ("me/searched", {"posts": OF_LABELS}),
        ("org/branches", {"moods": OF_CLASSES}),
    ],
)
def test_cards_name_each_tasks_data_and_metrics(hub: Any, finished: SimpleNamespace, name: str, expected: dict) -> None:
    assert results(hub, name) == expected
    metrics = tiny_run.read_json(folder_of(finished, name) / "eval_results.json")
    for task, of_task in {metrics["task"]: metrics, **metrics.get("tasks", {})}.items():
        value = next(iter(of_task["metrics"].values()))
        assert f"{value:.4f}" in card(hub, name), task


def test_cards_say_what_they_are_and_how_to_use_it(hub: Any, finished: SimpleNamespace) -> None:
    assert "**utterances of a dialogue**" in card(hub, "org/talk")
    assert 'from_pretrained("org/talk", trust_remote_code=True)' in card(hub, "org/talk")
    assert hub.repositories["org/talk"].card_data()["base_model"] == ["org/talk-emotion-encoder"]
    several = card(hub, "me/several")
    assert (
        "**text encoder with one head per task**" in several and "### intensity" in several and "### valence" in several
    )
    assert "| plain encoder |" in several
    assert "| default settings |" in card(hub, "me/searched")
    assert "chosen by a search on the same dev split" in card(hub, "me/searched")
    made = card(hub, "org/branches").replace("\\", "")
    assert "on the encoder recurrent-encoder (cnn:8 + bilstm:8)." in made and "base_model" not in made


def test_what_cannot_be_published_is_refused_before_anything_is_trained(finished: SimpleNamespace) -> None:
    found = [line.removeprefix("REFUSED ") for line in finished.stdout.splitlines() if line.startswith("REFUSED ")]
    for line, (command, _, message) in zip(found, REFUSED, strict=True):
        name = "csr-emotion search" if command == "run_search" else f"{command}.py"
        assert line.startswith(f"{name}: error: {message}")
    assert not (finished.place / "refused").exists()
