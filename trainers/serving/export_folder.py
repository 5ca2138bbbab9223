"""The folder of an exported classifier: files for other runtimes, configuration, tokenizer, record and card."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from transformers.utils.hub import cached_file

from modeling_csr import ONNX_FILES, OPENVINO_FILES, OnnxClassifier, OpenVINOClassifier

from ..data import write_json
from .onnx_export import check_logits, text_limit, write_onnx
from .openvino_export import write_openvino
from .quantization import MAX_DIFFERENCE, MAX_LOSS, Int8Report, write_int8

RECORD = "export.json"
# By format. OpenVINO's is made from an ONNX file.
PACKAGES: dict[str, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("onnx", "onnxscript", "onnxruntime", "openvino"),
}
BLOCK = re.compile(r"<!-- generated: onnx -->.*?<!-- end of onnx -->", re.DOTALL)
ABOUT = {
    "fp32": "`{file}`: fp32. Logits differ by at most {difference:.1g} from those of the model in PyTorch.",
    "int8": "`{file}`: int8 weights, {quantized} of {nodes} nodes. On {split}, {texts} texts: {scores}; "
    "probabilities differ by {difference:.4f} on average.",
}


@dataclass(frozen=True)
class CalibrationData:
    """Texts for int8.

    Args:
        name (`str`): Name of the dataset.
        train_texts (`Sequence[str]`): Texts on which sensitive nodes are found.
        dev_texts (`Sequence[str]`): Texts on which int8 is compared with fp32.
        dev_labels (`np.ndarray`): Their labels.
    """

    name: str
    train_texts: Sequence[str]
    dev_texts: Sequence[str]
    dev_labels: np.ndarray


def check_packages(formats: Sequence[str]) -> None:
    """Check that what exports is installed.

    Args:
        formats (`Sequence[str]`): `"onnx"`, `"openvino"` or both.

    Raises:
        ModuleNotFoundError: If it is not.
    """
    for wanted in formats:
        missing = [name for name in PACKAGES[wanted] if find_spec(name) is None]
        if missing:
            raise ModuleNotFoundError(f"--to {wanted} needs {', '.join(missing)}: pip install 'csr-emotion[{wanted}]'")


def check_export_folder(folder: Path) -> None:
    """Check that a folder is new, empty or an earlier export.

    Raises:
        FileExistsError: If it holds something else.
        NotADirectoryError: If it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--output_dir {folder} is a file: name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise FileExistsError(f"--output_dir {folder} holds something other than an export: name a new folder.")


def export_classifier(
    name: str,
    model: Any,
    tokenizer: Any,
    folder: Path,
    precisions: Sequence[str] = ("fp32",),
    data: CalibrationData | None = None,
    formats: Sequence[str] = ("onnx",),
) -> dict[str, Any]:
    """Export a classifier to ONNX, as Transformers.js and Text Embeddings Inference look for it, and to OpenVINO.

    The folder is written beside its final place and moved there once all checks have passed.

    Args:
        name (`str`): Folder or Hub id of the model, whose card is taken over.
        model (`PreTrainedModel`): The classifier, on the CPU in fp32.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        folder (`Path`): Folder to write; an earlier export there is replaced.
        precisions (`Sequence[str]`): `"fp32"`, `"int8"` or both.
        data ([`CalibrationData`], *optional*): Texts for int8.
        formats (`Sequence[str]`): `"onnx"`, `"openvino"`, which is in fp32 only, or both.

    Returns:
        `dict`: What is in `export.json`: largest difference of a logit from PyTorch's, and the costs of int8.

    Raises:
        ValueError: If the model cannot be exported, computes something else afterwards, or int8 costs too much.
        OSError: If the folder holds something else.
    """
    check_export_folder(folder)
    if "int8" in precisions and data is None:
        raise ValueError("--precision int8 needs texts: give --dataset.")
    if set(formats) == {"openvino"} and set(precisions) != {"fp32"}:
        raise ValueError("int8 is for ONNX: export with --to onnx openvino, or leave out --precision int8.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        record = _write(unfinished, name, model, tokenizer, precisions, data, formats)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return record


def _write(
    folder: Path,
    name: str,
    model: Any,
    tokenizer: Any,
    precisions: Sequence[str],
    data: CalibrationData | None,
    formats: Sequence[str],
) -> dict[str, Any]:
    paths = {precision: folder / file for precision, file in ONNX_FILES.items()}
    paths["fp32"].parent.mkdir(parents=True)
    limit = text_limit(tokenizer, model)
    write_onnx(model, tokenizer, paths["fp32"])
    texts = data.dev_texts[:16] if data else ()
    difference = check_logits(model, tokenizer, OnnxClassifier(paths["fp32"], model.config), texts)
    record: dict[str, Any] = {"model_type": model.config.model_type, "logit_difference": difference}
    if "openvino" in formats:
        graph = folder / OPENVINO_FILES[0]
        write_openvino(paths["fp32"], graph)
        found = check_logits(model, tokenizer, OpenVINOClassifier(graph, model.config), texts)
        record["openvino_logit_difference"] = found
    config = _config_of_export(model.config)
    if "int8" in precisions and data is not None:
        report = write_int8(
            paths["fp32"],
            paths["int8"],
            config,
            tokenizer,
            data.train_texts,
            data.dev_texts,
            data.dev_labels,
            max_length=limit,
        )
        record["int8"] = {"dataset": data.name, **asdict(report)}
        record["int8"] |= {"max_loss": MAX_LOSS, "max_probability_difference": MAX_DIFFERENCE}
    if "onnx" not in formats:
        shutil.rmtree(paths["fp32"].parent)
    elif "fp32" not in precisions:
        paths["fp32"].unlink()
    kept = [*ONNX_FILES.values(), *OPENVINO_FILES]
    record["files"] = [file for file in kept if (folder / file).is_file()]
    config.save_pretrained(folder)
    # Other runtimes know the number of positions of the encoder from here alone.
    tokenizer.model_max_length = limit
    tokenizer.save_pretrained(folder)
    write_json(folder / RECORD, record)
    (folder / "README.md").write_text(card(_existing_card(name), record), encoding="utf-8")
    return record


def _config_of_export(config: Any) -> Any:
    """The configuration, of the only task that was exported."""
    if config.model_type != "csr-multitask":
        return config
    values = config.to_dict()
    values["tasks"] = {config.main_task: values["tasks"][config.main_task]}
    return type(config).from_dict(values)


def _existing_card(name: str) -> str:
    path = cached_file(name, "README.md", _raise_exceptions_for_missing_entries=False)
    return Path(path).read_text(encoding="utf-8") if path else ""


def card(existing: str, record: Mapping[str, Any]) -> str:
    """A card with a section on the exported files, in place of an earlier one or at the end.

    Args:
        existing (`str`): The model's card, or an empty string.
        record (`Mapping`): As [`export_classifier`] returns it.
    """
    lines = ["<!-- generated: onnx -->", "## Other runtimes", ""]
    for precision, file in ONNX_FILES.items():
        if file not in record["files"]:
            continue
        values = {"file": file, "difference": record["logit_difference"]}
        if precision == "int8":
            report: Mapping[str, Any] = record["int8"]
            values |= {
                "quantized": report["nodes"] - len(report["left_out"]),
                "nodes": report["nodes"],
                "split": f"{report['dataset']} {report['split']}",
                "texts": report["texts"],
                "scores": scores_text(report["metrics"]),
                "difference": report["probability_difference"],
            }
        lines.append(f"- {ABOUT[precision].format(**values)}")
    if "openvino_logit_difference" in record:
        values = {"file": OPENVINO_FILES[0], "difference": record["openvino_logit_difference"]}
        lines.append(f"- {ABOUT['fp32'].format(**values)}")
    lines += ["", "Inputs are the tokenizer's, of any batch size and length; the output is `logits`.", ""]
    block = "\n".join([*lines, "<!-- end of onnx -->"])
    if BLOCK.search(existing):
        return BLOCK.sub(lambda _: block, existing)
    return f"{existing.rstrip()}\n\n{block}\n" if existing.strip() else f"# Emotion classifier\n\n{block}\n"


def scores_text(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Scores in fp32 and int8 in one line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {values['fp32']:.1f} in fp32 and {values['int8']:.1f} in int8"
        for name, values in metrics.items()
    )


__all__ = ["CalibrationData", "Int8Report", "check_export_folder", "check_packages", "export_classifier", "scores_text"]
