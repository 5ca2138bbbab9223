"""The datasets that are known by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .readers import (
    EMOTIONS,
    SENTIMENTS,
    read_emotion_posts,
    read_semeval2017_4a,
    read_semeval2018_ec,
    read_sentiment_posts,
)


@dataclass(frozen=True)
class DatasetInfo:
    """
    What is known of one published dataset.

    Args:
        name (`str`): The name it is asked for by.
        folder (`str`): Its folder below `--data_dir`.
        splits (`dict[str, tuple[str, ...]]`): By split, its files (names or glob patterns in `folder`).
        labels (`tuple[str, ...]`): Label names, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.
        hub_id (`str`, *optional*): Its id on the Hub, tried where no `--data_dir` is given.
        license (`str`): Licence as the Hub's cards name it; `"other"` where there is none of these.
        citation (`str`): BibTeX.
        homepage (`str`): Where to read about it and get it.
        description (`str`): One line.
        reader (`Callable[[Path], list[dict]]`): From one file to rows of `id`, `text` and `labels` (`list[float]`
            multi-hot, or `int` class id).
        hub_config (`str`, *optional*): Its configuration on the Hub.
        hub_text_column (`str`, defaults to `"text"`): The column of the texts on the Hub; the columns of the labels
            are `labels`.
        bundled (`bool`, defaults to `False`): Whether it comes with the repository.
    """

    name: str
    folder: str
    splits: dict[str, tuple[str, ...]]
    labels: tuple[str, ...]
    problem_type: str
    hub_id: str | None
    license: str
    citation: str
    homepage: str
    description: str
    reader: Callable[[Path], list[dict[str, Any]]]
    hub_config: str | None = None
    hub_text_column: str = "text"
    bundled: bool = False


_SEMEVAL2018 = """\
@inproceedings{mohammad-etal-2018-semeval,
  title = {{SemEval}-2018 Task 1: Affect in Tweets},
  author = {Mohammad, Saif and Bravo-Marquez, Felipe and Salameh, Mohammad and Kiritchenko, Svetlana},
  booktitle = {Proceedings of the 12th International Workshop on Semantic Evaluation},
  year = {2018},
  pages = {1--17},
}"""

_SEMEVAL2017 = """\
@inproceedings{rosenthal-etal-2017-semeval,
  title = {{SemEval}-2017 Task 4: Sentiment Analysis in {Twitter}},
  author = {Rosenthal, Sara and Farra, Noura and Nakov, Preslav},
  booktitle = {Proceedings of the 11th International Workshop on Semantic Evaluation},
  year = {2017},
  pages = {502--518},
}"""

_POSTS = """\
@misc{csr-emotion-posts,
  title = {csr-emotion posts: a small synthetic corpus of emotions and sentiment},
  howpublished = {Distributed with csr-emotion, folder examples/data},
}"""

_DATASETS = (
    DatasetInfo(
        name="csr-emotion-posts",
        folder="emotion",
        splits={"train": ("train.jsonl",), "dev": ("dev.jsonl",), "test": ("test.jsonl",)},
        labels=EMOTIONS,
        problem_type="multi_label_classification",
        hub_id=None,
        license="apache-2.0",
        citation=_POSTS,
        homepage="the folder examples/data of the csr-emotion repository",
        description="Synthetic English posts with eleven emotions, bundled to try the code out.",
        reader=read_emotion_posts,
        bundled=True,
    ),
    DatasetInfo(
        name="csr-emotion-posts-sentiment",
        folder="sentiment",
        splits={"train": ("train.jsonl",), "dev": ("dev.jsonl",), "test": ("test.jsonl",)},
        labels=SENTIMENTS,
        problem_type="single_label_classification",
        hub_id=None,
        license="apache-2.0",
        citation=_POSTS,
        homepage="the folder examples/data of the csr-emotion repository",
        description="Synthetic English posts with a three-way sentiment, bundled to try the code out.",
        reader=read_sentiment_posts,
        bundled=True,
    ),
    DatasetInfo(
        name="semeval2018-ec",
        folder="semeval2018_task1/E-c",
        splits={
            "train": ("E-c-En-train.txt",),
            "dev": ("E-c-En-dev.txt",),
            "test": ("E-c-En-test-gold.txt",),
        },
        labels=EMOTIONS,
        problem_type="multi_label_classification",
        hub_id="SemEvalWorkshop/sem_eval_2018_task_1",
        license="other",  # the organisers give it for research use
        citation=_SEMEVAL2018,
        homepage="https://competitions.codalab.org/competitions/17751",
        description="SemEval-2018 Task 1 E-c (English): tweets with eleven emotions, for research use.",
        reader=read_semeval2018_ec,
        hub_config="subtask5.english",
        hub_text_column="Tweet",
    ),
    DatasetInfo(
        name="semeval2017-4a",
        folder="semeval2017_task4/A",
        # The 2016 files, as the paper's Table 1 has them.
        splits={
            "train": ("twitter-2016train-A.tsv",),
            "dev": ("twitter-2016dev-A.tsv",),
            "test": ("SemEval2017-task4-test.subtask-A.english.txt",),
        },
        labels=SENTIMENTS,
        problem_type="single_label_classification",
        hub_id=None,
        license="other",  # the organisers give it for research use
        citation=_SEMEVAL2017,
        homepage="https://alt.qcri.org/semeval2017/task4/",
        description="SemEval-2017 Task 4 A (English): tweets with a three-way sentiment, for research use.",
        reader=read_semeval2017_4a,
    ),
)

REGISTRY: dict[str, DatasetInfo] = {info.name: info for info in _DATASETS}
