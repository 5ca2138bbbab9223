"""From files, the Hub or a DataFrame to texts with labels."""

from .augmentation import AUGMENTATIONS, augment_rare_labels, check_augmentations
from .class_weights import CLASS_WEIGHT_MODES, class_weights
from .cross_folds import cross_folds
from .dialogues import DIALOGUE_COLUMNS, MAX_UTTERANCES, check_dialogues, dialogue_rows, sample_dialogues
from .digests import digest, file_digest, weights_digest
from .label_names import require_distinct
from .label_values import is_labelled
from .labels import ROWS_WITHOUT_LABELS, in_label_space, select_labels
from .languages import warn_of_unreadable_texts
from .registered_files import BUNDLED_POSTS
from .registry import REGISTRY
from .row_check import BAD_ROWS, UNLABELLED_ROWS, RowCheck
from .rows import column_array, is_plain, label_space, task_rows, text_rows
from .sampling import random_sample, stratified_folds, stratified_sample
from .sealed_files import Seal, damages, is_whole, sealed_array
from .sources import ColumnValues, Source
from .task_dataset import TaskDataset, load_task_dataset, load_texts
from .text_sources import text_sources
from .texts import require_encodable, require_text
from .tokenization import (
    AUTO_STEPS,
    NORMALIZATION_STEPS,
    check_same_tokenizer,
    comparable_text,
    count_truncated,
    load_tokenizer,
    normalize_tweets,
    pad_texts,
    tokenize_rows,
    tokenizer_digest,
)
from .whole_files import UNFINISHED, whole_file, write_json

__all__ = [
    "AUGMENTATIONS",
    "AUTO_STEPS",
    "BAD_ROWS",
    "BUNDLED_POSTS",
    "CLASS_WEIGHT_MODES",
    "DIALOGUE_COLUMNS",
    "MAX_UTTERANCES",
    "NORMALIZATION_STEPS",
    "REGISTRY",
    "ROWS_WITHOUT_LABELS",
    "UNFINISHED",
    "UNLABELLED_ROWS",
    "ColumnValues",
    "RowCheck",
    "Seal",
    "Source",
    "TaskDataset",
    "augment_rare_labels",
    "check_augmentations",
    "check_dialogues",
    "check_same_tokenizer",
    "class_weights",
    "column_array",
    "comparable_text",
    "count_truncated",
    "cross_folds",
    "damages",
    "dialogue_rows",
    "digest",
    "file_digest",
    "in_label_space",
    "is_labelled",
    "is_plain",
    "is_whole",
    "label_space",
    "load_task_dataset",
    "load_texts",
    "load_tokenizer",
    "normalize_tweets",
    "pad_texts",
    "random_sample",
    "require_distinct",
    "require_encodable",
    "require_text",
    "sample_dialogues",
    "sealed_array",
    "select_labels",
    "stratified_folds",
    "stratified_sample",
    "task_rows",
    "text_rows",
    "text_sources",
    "tokenize_rows",
    "tokenizer_digest",
    "warn_of_unreadable_texts",
    "weights_digest",
    "whole_file",
    "write_json",
]
