"""The command that reproduces the paper's tables, on a few invented rows in the published formats."""

import random
from collections.abc import Sequence
from pathlib import Path

import matplotlib.image
import pytest

from tests.helpers import tiny_run
from trainers.data.readers import EMOTIONS
from trainers.data.registry import REGISTRY
from trainers.experiments import PUBLISHED

reproduce_paper = tiny_run.example("reproduce_paper")

RECIPES = ["bert", "model-1"]
# What the tiny rows say of each label; every label of every dataset has a word of its own.
WORDS = dict(zip("abcdefghijk", range(11), strict=True))


def text(rng: random.Random, labels: Sequence[int]) -> str:
    """Its labels stand in it as letters, each an own token of the tiny encoder."""
    words = [*(list(WORDS)[label] * 2 for label in labels), *rng.sample(tiny_run.FILLERS, 5)]
    rng.shuffle(words)
    return " ".join(words)


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def write_data(folder: Path) -> Path:
    """The files of the datasets in the tables, each as its publisher writes it."""
    rng = random.Random(0)
    header = "\t".join(["ID", "Tweet", *EMOTIONS])
    for split, size in (("train", 33), ("dev", 22)):
        lines = [header]
        for index in range(size):
            labels = {index % 11, rng.randrange(11)} if index % 7 else set()
            bits = [str(int(label in labels)) for label in range(11)]
            lines.append("\t".join([f"2018-{split}-{index}", text(rng, sorted(labels)), *bits]))
        write(folder / "semeval2018_task1" / "E-c" / f"E-c-En-{split}.txt", lines)
    sentiments = ("negative", "neutral", "positive")
    for split in ("train", "dev"):
        lines = [f"{split}{index}\t{sentiments[index % 3]}\t{text(rng, [index % 3])}" for index in range(18)]
        write(folder / "semeval2017_task4" / "A" / f"twitter-2016{split}-A.tsv", lines)

    info = REGISTRY["semeval2018-ei-reg"]
    for split in ("train", "dev"):
        for label, name in enumerate(info.splits[split]):
            lines = ["ID\tTweet\tAffect Dimension\tIntensity Score"]
            for index in range(6):
                lines.append(f"{split}-{label}-{index}\t{text(rng, [label])}\t{info.labels[label]}\t0.{index + 1}")
            write(folder / info.folder / name, lines)
    info = REGISTRY["semeval2017-4b"]
    for name in (*info.splits["train"], *info.splits["dev"]):
        lines = [f"{name}{i}\ttopic\t{info.labels[i % 2]}\t{text(rng, [i % 2])}" for i in range(6)]
        write(folder / info.folder / name, lines)
    info = REGISTRY["isear"]
    lines = ["ID|MYKEY|Field1|SIT|END"]
    for respondent in range(10):
        for label, name in enumerate(info.labels):
            lines.append(f"{respondent}|{respondent}-{label}|{name}|{text(rng, [label])}|")
    write(folder / info.folder / "isear.csv", lines)
    info = REGISTRY["sentiment140"]
    for label, name in enumerate(info.splits["train"]):
        write(folder / info.folder / name, [f"{text(rng, [label])} {label}{index}" for index in range(30)])
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    tiny_run.write_encoder(folder / "encoder")
    write_data(folder / "data")
    return folder


def command(place: Path, output_dir: Path, *further: str, tables: Sequence[str] = ("1",)) -> list[str]:
    argv = ["--tables", *tables, "--recipes", *RECIPES, "--seeds", "42", "43", "--data_dir", str(place / "data")]
    argv += ["--encoder", str(place / "encoder"), "--output_dir", str(output_dir), "--max_length", "32"]
    argv += ["--num_train_epochs", "2", "--learning_rate", "1e-2", "--eval_strategy", "no", "--save_strategy", "no"]
    argv += ["--use_cpu", "True"]
    argv += ["--bf16_weights", "False", "--disable_tqdm", "True", "--draw_figures", "False"]
    return [*argv, *further]


def times_of_weights(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The folder of table 1, which was asked for twice, and when the weights were written the first time."""
    output_dir = tmp_path_factory.mktemp("finished") / "out"
    reproduce_paper.main(command(place, output_dir))
    times = times_of_weights(output_dir)
    (output_dir / "table-1-e-c.md").unlink()
    reproduce_paper.main(command(place, output_dir))
    return output_dir, times


def test_each_seed_has_a_run(finished: tuple[Path, dict[str, int]]) -> None:
    output_dir, _ = finished
    for seed in (42, 43):
        folder = output_dir / "table-1-e-c" / f"seed-{seed}"
        assert list(tiny_run.read_json(folder / "results.json")["recipes"]) == RECIPES
        assert tiny_run.read_json(folder / "emotion-encoder" / "training_args.json")["seed"] == seed
        # Options of run_csr.py go to every run.
        assert tiny_run.read_json(folder / "emotion-encoder" / "training_args.json")["num_train_epochs"] == 2


def test_json_has_the_scores_of_both_seeds(finished: tuple[Path, dict[str, int]]) -> None:
    output_dir, _ = finished
    written = tiny_run.read_json(output_dir / "table-1-e-c.json")
    about = {name: value for name, value in written.items() if name != "recipes"}
    assert about.pop("options")[:4] == ["--max_length", "32", "--num_train_epochs", "2"]
    assert about == {
        "data": ["semeval2018-ec", "semeval2017-4a"],
        "encoder": "encoder",
        "seeds": [42, 43],
        "threshold": "global",
        "baseline": "bert",
        "published": PUBLISHED["E-c"],
    }
    assert list(written["recipes"]) == RECIPES
    for recipe, one in written["recipes"].items():
        for index, seed in enumerate((42, 43)):
            found = tiny_run.read_json(output_dir / "table-1-e-c" / f"seed-{seed}" / "results.json")["recipes"]
            for metric, scores in one["scores"].items():
                assert scores[index] == pytest.approx(found[recipe]["metrics"][metric], abs=5e-5)
        assert len(one["seconds"]) == 2
    test = written["recipes"]["model-1"]["tests"]["jaccard"]
    assert (test["seeds"], test["texts"]) == (2, 22)


def test_table_is_about_both_seeds(finished: tuple[Path, dict[str, int]]) -> None:
    output_dir, _ = finished
    heading, table, about = (output_dir / "table-1-e-c.md").read_text(encoding="utf-8").strip().split("\n\n")
    assert "Table 1, E-c" in heading and "`bert`" in heading
    assert {"- seeds: 42, 43", "- encoder: encoder", "- data: semeval2018-ec, semeval2017-4a"} <= set(about.split("\n"))
    header, _, *rows = table.split("\n")
    assert header.count("paper") == 3
    assert [row.split("|")[1].strip() for row in rows] == [f"`{recipe}`" for recipe in RECIPES]
    assert "| 65.6 |" in rows[0] and all(" ± " in row for row in rows)


def test_figure_is_an_image(finished: tuple[Path, dict[str, int]]) -> None:
    output_dir, _ = finished
    height, width, _ = matplotlib.image.imread(output_dir / "table-1-e-c.png").shape
    assert width > height > 150


def test_repeated_command_trains_nothing(finished: tuple[Path, dict[str, int]]) -> None:
    output_dir, times = finished
    assert len(times) == 2 * 3 and times_of_weights(output_dir) == times
    # What was missing is written again.
    assert (output_dir / "table-1-e-c.md").is_file()


def test_table_2_has_an_experiment_for_each_target(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    results = tmp_path / "results"
    argv = command(place, tmp_path / "out", "--results_dir", str(results), tables=["2"])
    argv[argv.index("--seeds") + 1 : argv.index("--seeds") + 3] = ["42"]
    argv[argv.index("--recipes") + 1 : argv.index("--recipes") + 3] = ["bert", "model-2"]
    # The option that comes later wins over the one of the table.
    reproduce_paper.main([*argv, "--max_train_samples", "40"])
    stems = ("table-2-general-tweets", "table-2-isear")
    assert sorted(path.name for path in results.iterdir()) == sorted(
        f"{stem}.{suffix}" for stem in stems for suffix in ("json", "md", "png")
    )
    printed = capsys.readouterr().out
    for stem in stems:
        written = tiny_run.read_json(results / f"{stem}.json")
        assert written["published"]["bert"].keys() == {"accuracy"}
        for one in written["recipes"].values():
            assert list(one["scores"]) == list(written["recipes"]["bert"]["scores"])
            assert "accuracy" in one["scores"] and "scores_at_0.5" not in one
        assert (results / f"{stem}.md").read_text(encoding="utf-8") in printed
        arguments = tiny_run.read_json(tmp_path / "out" / stem / "seed-42" / "emotion-encoder" / "stage.json")
        assert arguments["files"]


# -- what is refused before anything is trained -----------------------------------------------------------------------


def refusal(argv: list[str]) -> str:
    with pytest.raises(SystemExit) as error:
        reproduce_paper.main(argv)
    return str(error.value)


def test_missing_data_of_the_last_table_stop_the_first(place: Path, tmp_path: Path) -> None:
    argv = command(place, tmp_path / "out", tables=["1", "2"])
    data = tmp_path / "data"
    data.mkdir()
    for folder in (place / "data").iterdir():
        if folder.name != REGISTRY["isear"].folder:
            (data / folder.name).symlink_to(folder)
    argv[argv.index("--data_dir") + 1] = str(data)
    message = refusal(argv)
    assert message.startswith("reproduce_paper.py: error: isear: ") and f"{data / 'isear'} does not exist" in message
    assert not (tmp_path / "out").exists()


def test_folder_of_another_run_stops_before_any_seed(place: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "out" / "table-1-e-c" / "seed-43" / "emotion-encoder" / "notes.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    message = refusal(command(place, tmp_path / "out"))
    assert str(theirs.parent) in message and "--output_dir" in message
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [theirs]


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (["--lerning_rate", "1"], "--lerning_rate"),
        (["--encoder_dropout", "2"], "--encoder_dropout must be below 1"),
        (["--max_length", "1000"], "--max_length 1000"),
        (["--seed", "7"], "--seed cannot be given"),
        (["--recipe=bert"], "--recipe=bert cannot be given"),
        (["--emotion_dataset", "isear"], "--emotion_dataset cannot be given"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_wrong_options_are_named(place: Path, tmp_path: Path, further: list[str], message: str) -> None:
    assert message in refusal(command(place, tmp_path / "out", *further))
    assert not (tmp_path / "out").exists()


def test_help_lists_tables_and_recipes(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        reproduce_paper.main(["--help"])
    assert stopped.value.code == 0
    shown = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
    assert "--tables" in shown and "model-3.3" in shown and "run_csr.py" in shown
