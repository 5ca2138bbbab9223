"""One reader for each published file format: rows of `id`, `text` and `labels`; one module per publisher.

Labels are a multi-hot `list[float]`, a class id or a `list[float]` of scores, in the order of the tuples of names.
"""

from .brighter import BRIGHTER_EMOTIONS, BRIGHTER_LANGUAGES, BrighterReader, brighter_emotions
from .dair import DAIR_EMOTIONS, read_dair_emotion
from .emocontext import EMOCONTEXT_EMOTIONS, read_emocontext
from .goemotions import GOEMOTIONS, read_goemotions
from .iemocap import IEMOCAP_EMOTIONS, read_iemocap
from .isear import ISEAR_EMOTIONS, read_isear
from .meld import MELD_EMOTIONS, read_meld
from .posts import read_emotion_posts, read_intensity_posts, read_sentiment_posts, read_valence_posts
from .rows import drop_conflicting_ids, drop_repetitions, join_scores
from .semeval2017 import POLARITIES, SENTIMENTS, read_semeval2017_4a, read_semeval2017_4b
from .semeval2018 import (
    EMOTIONS,
    INTENSITY_EMOTIONS,
    VALENCE,
    read_semeval2018_ec,
    read_semeval2018_ei_reg,
    read_semeval2018_intensities,
    read_semeval2018_v_reg,
)
from .sentiment140 import read_sentiment140

__all__ = [
    "BRIGHTER_EMOTIONS",
    "BRIGHTER_LANGUAGES",
    "DAIR_EMOTIONS",
    "EMOCONTEXT_EMOTIONS",
    "EMOTIONS",
    "GOEMOTIONS",
    "IEMOCAP_EMOTIONS",
    "INTENSITY_EMOTIONS",
    "ISEAR_EMOTIONS",
    "MELD_EMOTIONS",
    "POLARITIES",
    "SENTIMENTS",
    "VALENCE",
    "BrighterReader",
    "brighter_emotions",
    "drop_conflicting_ids",
    "drop_repetitions",
    "join_scores",
    "read_dair_emotion",
    "read_emocontext",
    "read_emotion_posts",
    "read_goemotions",
    "read_iemocap",
    "read_intensity_posts",
    "read_isear",
    "read_meld",
    "read_semeval2017_4a",
    "read_semeval2017_4b",
    "read_semeval2018_ec",
    "read_semeval2018_ei_reg",
    "read_semeval2018_intensities",
    "read_semeval2018_v_reg",
    "read_sentiment140",
    "read_sentiment_posts",
    "read_valence_posts",
]
