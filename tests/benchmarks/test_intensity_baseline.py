"""The ridge regression on intensities and valence: what it writes, and that it learns words that say a score."""

from pathlib import Path

from benchmarks import intensity_baseline
from tests.helpers import tiny_run


def test_words_that_say_the_score_are_learnt(tmp_path: Path) -> None:
    words = {0.1: "hardly slightly", 0.5: "fairly rather", 0.9: "extremely utterly"}
    for split, size, seed in (("train", 90, 1), ("dev", 30, 2)):
        by_word = tiny_run.label_rows({str(score): said for score, said in words.items()}, size, seed)
        rows = [{"text": row["text"], "score": row["label"]} for row in by_word]
        tiny_run.write_csv(tmp_path / "feelings" / f"{split}.csv", rows)
    written = tmp_path / "out" / "scores.json"
    argv = ["--datasets", str(tmp_path / "feelings"), "csr-emotion-posts-intensity", "--output_file", str(written)]
    intensity_baseline.main(argv)
    own, bundled = tiny_run.read_json(written)["results"].values()
    assert own["pearson"] > 0.95
    assert 0 < bundled["pearson"] < 0.5, "the bundled posts are few"
    assert set(bundled["per_output"]) == {"anger", "fear", "joy", "sadness"}
