"""BRIGHTER in each of its languages and in all of them together: labels (track A) and intensities (track B)."""

from difflib import get_close_matches

from .citations import MUHAMMAD_2025
from .dataset_info import DatasetInfo
from .readers import BRIGHTER_EMOTIONS, BRIGHTER_LANGUAGES, BrighterReader, brighter_emotions

ALL = "all"
# Intensities were annotated in these; of Romanian ones, no train split was published.
INTENSITY_LANGUAGES = ("amh", "arq", "chn", "deu", "eng", "esp", "hau", "ptbr", "ron", "rus", "ukr")
# Of the shared task, and not among the 28 of BRIGHTER on the Hub.
_NOT_ON_THE_HUB = ("amh", "orm", "som", "tir")
# By family of names, its languages.
FAMILIES = {"brighter": tuple(BRIGHTER_LANGUAGES), "brighter-intensity": INTENSITY_LANGUAGES}


def brighter_dataset(name: str) -> DatasetInfo | None:
    """The dataset of a name such as `brighter:deu`, `brighter:all` or `brighter-intensity:deu`.

    Returns:
        `DatasetInfo`, or `None` if the name is of another kind.

    Raises:
        ValueError: If there is no such language, or it has no intensities.
    """
    family, _, language = name.partition(":")
    if family not in FAMILIES:
        return None
    languages = FAMILIES[family]
    if language == ALL:
        return _info(family, ALL, languages)
    if language in languages:
        return _info(family, language, (language,))
    there = f"{family}:LANGUAGE, where LANGUAGE is one of {', '.join(languages)}, or {ALL}"
    if not language:
        raise ValueError(f"{name}: say in which language: {there}.")
    if language in BRIGHTER_LANGUAGES:
        raise ValueError(f"{name}: intensities (track B) were not annotated in {language}; name {there}.")
    known = {code: organisers for organisers, code in BRIGHTER_LANGUAGES.items()}
    close = [known[language]] if language in known else get_close_matches(language, languages, n=1)
    hint = f" Did you mean {family}:{close[0]}?" if close and close[0] in languages else ""
    raise ValueError(f"{name}: there is no language {language!r}.{hint} Name {there}.")


def _info(family: str, language: str, languages: tuple[str, ...]) -> DatasetInfo:
    intensities = family == "brighter-intensity"
    labels = BRIGHTER_EMOTIONS if language == ALL else brighter_emotions(language)
    track = "b" if intensities else "a"
    splits = {split: tuple(f"{split}/{one}.csv" for one in languages) for split in ("train", "dev", "test")}
    if intensities:
        splits["train"] = tuple(f"train/{one}.csv" for one in languages if one != "ron")
        splits = {split: files for split, files in splits.items() if files}
    on_hub = tuple(one for one in languages if one not in _NOT_ON_THE_HUB)
    hub_name = "intensities" if intensities else "categories"
    what = "the intensity, 0 to 3, of" if intensities else "the presence of"
    description = f"BRIGHTER (SemEval-2025 Task 11, track {track.upper()}): texts with {what} {len(labels)} emotions"
    if language == ALL:
        description += (
            f", in {len(languages)} languages ({', '.join(languages)}). What a language lacks is not annotated "
            f"there. Each language has a name of its own, such as `{family}:deu`."
        )
    else:
        description += f", in the language {language}."
    return DatasetInfo(
        name=f"{family}:{language}",
        folder=f"brighter/track_{track}",
        splits=splits,
        labels=labels,
        problem_type="regression" if intensities else "multi_label_classification",
        hub_id=f"brighter-dataset/BRIGHTER-emotion-{hub_name}" if on_hub else None,
        license="cc-by-4.0",
        citation=MUHAMMAD_2025,
        homepage="https://brighter-dataset.github.io",
        description=description,
        reader=BrighterReader(labels, highest=3 if intensities else 1),
        hub_config=on_hub,
        # Ids carry their language.
        keep_conflicting=True,
        languages=tuple(dict.fromkeys(BRIGHTER_LANGUAGES[one] for one in languages)),
        files_may_be_missing=language == ALL,
    )


BRIGHTER_DATASETS = tuple(_info(family, ALL, languages) for family, languages in FAMILIES.items())
