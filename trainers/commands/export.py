"""`csr-emotion export`: write a classifier for other runtimes."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from ..evaluation import load_classifier, load_config
from ..serving import PACKAGES, CalibrationData, check_export_folder, check_packages, export_classifier, scores_text
from .dataset_options import add_dataset_options, load_for_model
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = (
    "Write a classifier as ONNX files for ONNX Runtime, Transformers.js and Text Embeddings Inference, or for OpenVINO."
)


def export_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        "csr-emotion export",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("model", help="Hub id or folder of a sequence classifier.")
    parser.add_argument("--to", nargs="+", default=["onnx"], choices=tuple(PACKAGES), help="Format(s) to write.")
    parser.add_argument(
        "--precision",
        nargs="+",
        default=["fp32"],
        choices=("fp32", "int8"),
        help="int8 is for ONNX and needs --dataset.",
    )
    parser.add_argument("--output_dir", required=True, help="Folder to write: a new one, or that of an earlier export.")
    parser.add_argument(
        "--dataset",
        help="Data for int8: a registered name, a file, a folder or a Hub dataset id. Training texts show which parts "
        "are sensitive; dev decides whether int8 is good enough.",
    )
    add_dataset_options(parser)
    parser.add_argument("--trust_remote_code", action="store_true", help="Run the code in the model's repository.")
    return parser


def run_export(argv: Sequence[str]) -> dict[str, Any]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        `dict`: What is in `export.json`.
    """
    args = export_parser().parse_args(list(argv))
    set_up_logging()
    with exit_on("csr-emotion export", *BAD_INPUT):
        check_packages(args.to)
        if "int8" in args.precision and args.dataset is None:
            raise ValueError("--precision int8 needs texts, on which it is compared with fp32: give --dataset.")
        folder = Path(args.output_dir)
        check_export_folder(folder)
        config = load_config(args.model, trust_remote_code=args.trust_remote_code)
        if config.model_type == "dialogue":
            raise ValueError(f"{args.model} reads whole dialogues; only classifiers of single texts can be exported.")
        data = read_data(args, config) if "int8" in args.precision else None
        model = load_classifier(args.model, trust_remote_code=args.trust_remote_code, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(args.model)
        record = export_classifier(args.model, model, tokenizer, folder, args.precision, data, args.to)
    difference = max(record["logit_difference"], record.get("openvino_logit_difference", 0.0))
    print(f"Logits differ by at most {difference:.1g} from PyTorch's.")
    if "int8" in record:
        report = record["int8"]
        print(
            f"int8, {report['dataset']} {report['split']}, {report['texts']} texts: {scores_text(report['metrics'])}; "
            f"probabilities differ by {report['probability_difference']:.4f} on average. "
            f"{len(report['left_out'])} of {report['nodes']} nodes stay in fp32."
        )
    classes = [one for name, one in (("onnx", "OnnxClassifier"), ("openvino", "OpenVINOClassifier")) if name in args.to]
    print(f"The model is in {folder}: {' or '.join(classes)}.from_pretrained('{folder}')")
    return record


def read_data(args: argparse.Namespace, config: Any) -> CalibrationData:
    """The texts for int8, with dev labels in the order of the model's."""
    dataset = load_for_model(args, config, ("train", "dev"))
    train, dev = (list(dataset.splits[split]["text"]) for split in ("train", "dev"))
    return CalibrationData(args.dataset, train, dev, dataset.targets("dev"))
