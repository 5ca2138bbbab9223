"""Published research datasets: their files, labels, licences and citations."""

from .citations import (
    BUSSO_2008,
    CHATTERJEE_2019,
    DEMSZKY_2020,
    GO_2009,
    MOHAMMAD_2018,
    PORIA_2019,
    ROSENTHAL_2017,
    SARAVIA_2018,
    SCHERER_1994,
)
from .dataset_info import DatasetInfo
from .readers import (
    DAIR_EMOTIONS,
    EMOCONTEXT_EMOTIONS,
    EMOTIONS,
    GOEMOTIONS,
    IEMOCAP_EMOTIONS,
    INTENSITY_EMOTIONS,
    ISEAR_EMOTIONS,
    MELD_EMOTIONS,
    POLARITIES,
    SENTIMENTS,
    VALENCE,
    read_dair_emotion,
    read_emocontext,
    read_goemotions,
    read_iemocap,
    read_isear,
    read_meld,
    read_semeval2017_4a,
    read_semeval2017_4b,
    read_semeval2018_ec,
    read_semeval2018_ei_reg,
    read_semeval2018_intensities,
    read_semeval2018_v_reg,
    read_sentiment140,
)

PUBLISHED_DATASETS = (
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
        citation=MOHAMMAD_2018,
        homepage="https://competitions.codalab.org/competitions/17751",
        description="SemEval-2018 Task 1 E-c (English): tweets with eleven emotions, for research use.",
        reader=read_semeval2018_ec,
        hub_config="subtask5.english",
        hub_text_column="Tweet",
    ),
    DatasetInfo(
        name="semeval2018-ei-reg",
        folder="semeval2018_task1/EI-reg",
        splits={
            split: tuple(f"EI-reg-En-{emotion}-{files}.txt" for emotion in INTENSITY_EMOTIONS)
            for split, files in (("train", "train"), ("dev", "dev"), ("test", "test-gold"))
        },
        labels=INTENSITY_EMOTIONS,
        problem_type="single_label_classification",
        hub_id=None,
        license="other",  # the organisers give it for research use
        citation=MOHAMMAD_2018,
        homepage="https://competitions.codalab.org/competitions/17751",
        description=(
            "SemEval-2018 Task 1 EI-reg (English): tweets, single-label by the emotion whose intensity was annotated, "
            "for research use. A tweet annotated for several emotions stands there once for each (most of dev does), "
            "which bounds the accuracy that can be reached."
        ),
        reader=read_semeval2018_ei_reg,
        # As in the paper. Without them, three of five rows of dev would go.
        keep_conflicting=True,
    ),
    DatasetInfo(
        name="semeval2018-ei-reg-intensity",
        folder="semeval2018_task1/EI-reg",
        splits={
            split: tuple(f"EI-reg-En-{emotion}-{files}.txt" for emotion in INTENSITY_EMOTIONS)
            for split, files in (("train", "train"), ("dev", "dev"), ("test", "test-gold"))
        },
        labels=INTENSITY_EMOTIONS,
        problem_type="regression",
        hub_id=None,
        license="other",  # the organisers give it for research use
        citation=MOHAMMAD_2018,
        homepage="https://competitions.codalab.org/competitions/17751",
        description=(
            "SemEval-2018 Task 1 EI-reg (English): tweets with the intensity, 0 to 1, of those of four emotions that "
            "were annotated, for research use."
        ),
        reader=read_semeval2018_intensities,
        # One file per emotion: a tweet has an intensity in each file that it is in.
        keep_conflicting=True,
        join_scores=True,
    ),
    DatasetInfo(
        name="semeval2018-v-reg",
        folder="semeval2018_task1/V-reg",
        # Some archives have `2018-` before the names.
        splits={
            "train": ("*Valence-reg-En-train.txt",),
            "dev": ("*Valence-reg-En-dev.txt",),
            "test": ("*Valence-reg-En-test-gold.txt",),
        },
        labels=VALENCE,
        problem_type="regression",
        hub_id=None,
        license="other",  # the organisers give it for research use
        citation=MOHAMMAD_2018,
        homepage="https://competitions.codalab.org/competitions/17751",
        description=(
            "SemEval-2018 Task 1 V-reg (English): tweets with their valence, 0 (most negative) to 1 (most positive), "
            "for research use."
        ),
        reader=read_semeval2018_v_reg,
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
        citation=ROSENTHAL_2017,
        homepage="https://alt.qcri.org/semeval2017/task4/",
        description="SemEval-2017 Task 4 A (English): tweets with a three-way sentiment, for research use.",
        reader=read_semeval2017_4a,
    ),
    DatasetInfo(
        name="semeval2017-4a-all",
        folder="semeval2017_task4/A",
        splits={
            "train": (
                "twitter-2013train-A.tsv",
                "twitter-2013dev-A.tsv",
                "twitter-2013test-A.tsv",
                "twitter-2014test-A.tsv",
                "twitter-2014sarcasm-A.tsv",
                "twitter-2015train-A.tsv",
                "twitter-2015test-A.tsv",
                "twitter-2016train-A.tsv",
                "twitter-2016devtest-A.tsv",
                "twitter-2016test-A.tsv",
            ),
            "dev": ("twitter-2016dev-A.tsv",),
            "test": ("SemEval2017-task4-test.subtask-A.english.txt",),
        },
        labels=SENTIMENTS,
        problem_type="single_label_classification",
        hub_id=None,
        license="other",  # the organisers give it for research use
        citation=ROSENTHAL_2017,
        homepage="https://alt.qcri.org/semeval2017/task4/",
        description=(
            "SemEval-2017 Task 4 A (English), the files of 2013 to 2016: tweets with a three-way sentiment, for "
            "research use."
        ),
        reader=read_semeval2017_4a,
        keep_once="id",
    ),
    DatasetInfo(
        name="semeval2017-4b",
        folder="semeval2017_task4/BD",
        splits={
            "train": (
                "twitter-2015train-BD.tsv",
                "twitter-2015test-BD.tsv",
                "twitter-2016train-BD.tsv",
                "twitter-2016devtest-BD.tsv",
                "twitter-2016test-BD.tsv",
            ),
            "dev": ("twitter-2016dev-BD.tsv",),
            "test": ("SemEval2017-task4-test.subtask-BD.english.txt",),
        },
        labels=POLARITIES,
        problem_type="single_label_classification",
        hub_id=None,
        license="other",  # the organisers give it for research use
        citation=ROSENTHAL_2017,
        homepage="https://alt.qcri.org/semeval2017/task4/",
        description=(
            "SemEval-2017 Task 4 B (English), the files of 2015 and 2016: tweets with a two-way sentiment towards a "
            "topic, for research use."
        ),
        reader=read_semeval2017_4b,
        keep_once="text",
    ),
    DatasetInfo(
        name="sentiment140",
        folder="sentiment140_100k",
        splits={split: ("negative.txt", "positive.txt") for split in ("train", "dev")},
        labels=POLARITIES,
        problem_type="single_label_classification",
        hub_id=None,
        license="other",  # none is stated
        citation=GO_2009,
        homepage="http://help.sentiment140.com/for-students",
        description=(
            "100,000 tweets of Sentiment140 (English) with the two-way sentiment of the emoticon that stood in them; "
            "2 % of the texts are held out as dev."
        ),
        reader=read_sentiment140,
        dev_fraction=0.02,
    ),
    DatasetInfo(
        name="isear",
        folder="isear",
        splits={"train": ("isear.csv",), "dev": ("isear.csv",), "test": ("isear_test.csv",)},
        labels=ISEAR_EMOTIONS,
        problem_type="single_label_classification",
        hub_id=None,
        license="other",  # for research use
        citation=SCHERER_1994,
        homepage="https://www.unige.ch/cisa/research/materials-and-online-research/research-material/",
        description=(
            "ISEAR (English): situations in which students felt one of seven emotions, for research use; dev is one of "
            "five folds of respondents."
        ),
        reader=read_isear,
        folds=5,
        protocol="No respondent is both in training and held out.",
    ),
    DatasetInfo(
        name="goemotions",
        folder="goemotions",
        splits={"train": ("train.tsv",), "dev": ("dev.tsv",), "test": ("test.tsv",)},
        labels=GOEMOTIONS,
        problem_type="multi_label_classification",
        hub_id="google-research-datasets/go_emotions",
        license="apache-2.0",
        citation=DEMSZKY_2020,
        homepage="https://github.com/google-research/google-research/tree/master/goemotions",
        description="GoEmotions: comments on Reddit (English) with 27 emotions and neutral.",
        reader=read_goemotions,
        hub_config="simplified",
        hub_label_columns=("labels",),
    ),
    DatasetInfo(
        name="dair-emotion",
        folder="emotion_dair",
        splits={"train": ("train.txt",), "dev": ("val.txt",), "test": ("test.txt",)},
        labels=DAIR_EMOTIONS,
        problem_type="single_label_classification",
        hub_id="dair-ai/emotion",
        license="other",  # for educational and research use
        citation=SARAVIA_2018,
        homepage="https://huggingface.co/datasets/dair-ai/emotion",
        description=(
            "dair-ai/emotion: 20,000 tweets (English, in lower case) with one of six emotions, for research use. On "
            "the Hub, dair-ai/emotion:unsplit holds 416,809."
        ),
        reader=read_dair_emotion,
        hub_config="split",
        hub_label_columns=("label",),
    ),
    DatasetInfo(
        name="meld",
        folder="meld",
        splits={"train": ("train_sent_emo.csv",), "dev": ("dev_sent_emo.csv",), "test": ("test_sent_emo.csv",)},
        labels=MELD_EMOTIONS,
        problem_type="single_label_classification",
        hub_id=None,
        license="gpl-3.0",
        citation=PORIA_2019,
        homepage="https://github.com/declare-lab/MELD",
        description="MELD: utterances in dialogues of the series Friends (English), with seven emotions and speakers.",
        reader=read_meld,
    ),
    DatasetInfo(
        name="emocontext",
        folder="emocontext",
        splits={"train": ("train.txt",), "dev": ("dev.txt",), "test": ("test.txt",)},
        labels=EMOCONTEXT_EMOTIONS,
        problem_type="single_label_classification",
        hub_id=None,  # the copies there have the three turns in one text
        license="other",  # none is stated
        citation=CHATTERJEE_2019,
        homepage="https://www.humanizing-ai.com/emocontext.html",
        description=(
            "SemEval-2019 Task 3, EmoContext (English): conversations of three turns with an agent; the last turn is "
            "angry, happy, sad or others, the two before it are context. No licence is stated."
        ),
        reader=read_emocontext,
        has_context=True,
    ),
    DatasetInfo(
        name="iemocap",
        folder="iemocap",
        splits={split: ("*ession*",) for split in ("train", "dev")},
        labels=IEMOCAP_EMOTIONS,
        problem_type="single_label_classification",
        hub_id="Zahra99/IEMOCAP_Text",
        license="other",  # on request, for research use
        citation=BUSSO_2008,
        homepage="https://sail.usc.edu/iemocap/",
        description=(
            "IEMOCAP (English): transcripts of ten actors in five sessions with four classes, for research use; dev is "
            "one of the sessions."
        ),
        reader=read_iemocap,
        hub_label_columns=("label",),
        folds=5,
        protocol=(
            "Fold 0 leaves session 1 out, fold 4 session 5; no actor is both in training and held out. The figures are "
            "not comparable with those of overlapping windows over joined sessions that are split at random, such as "
            "72 % accuracy on four classes: there, windows that overlap a test window are in "
            "training."
        ),
    ),
)
