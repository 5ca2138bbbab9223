"""int8 by ONNX Runtime: weights per channel, sensitive nodes left out as measured, and refused if dev scores suffer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modeling_csr import OnnxClassifier

from ..evaluation import HEADLINE, predict_logits, probabilities, problem_type_of, score
from .onnx_export import quiet_tools

# What int8 may cost on dev: points in each headline metric, and the mean absolute difference of a probability.
MAX_LOSS, MAX_DIFFERENCE = 0.3, 0.01
# Training texts on which each node's effect is measured.
SENSITIVITY_TEXTS = 32
# With less of the weighted nodes in int8, there is no point in it.
LEAST_QUANTIZED = 0.5
OPERATORS = ("MatMul", "Gemm", "Gather")


@dataclass(frozen=True)
class Int8Report:
    """What int8 costs.

    Args:
        split (`str`): The split on which scores were compared.
        texts (`int`): Number of its texts.
        metrics (`dict[str, dict[str, float]]`): For each headline metric, the score in `fp32` and `int8`, in points.
        probability_difference (`float`): Mean absolute difference of a probability.
        nodes (`int`): Number of nodes with weights.
        left_out (`list[str]`): Those that stay in fp32.
    """

    split: str
    texts: int
    metrics: dict[str, dict[str, float]]
    probability_difference: float
    nodes: int
    left_out: list[str]

    @property
    def largest_loss(self) -> float:
        """Points lost in the metric that loses most; negative if all gain."""
        return max(values["fp32"] - values["int8"] for values in self.metrics.values())


def write_int8(
    source: Path,
    target: Path,
    config: Any,
    tokenizer: Any,
    train_texts: Sequence[str],
    dev_texts: Sequence[str],
    dev_labels: np.ndarray,
    max_length: int,
    max_loss: float = MAX_LOSS,
    max_difference: float = MAX_DIFFERENCE,
) -> Int8Report:
    """Quantise an ONNX classifier dynamically: int8 weights per channel, scales of activations found at run time.

    Weights have 7 bits, since CPUs without VNNI add products in 16 bits, which overflow with 8. If dev loses too much
    with all nodes in int8, each node's effect on the probabilities of training texts is measured, and the 1, 2, 4, ...
    most sensitive ones stay in fp32.

    Args:
        source (`Path`): The model in fp32.
        target (`Path`): The file to write.
        config (`PreTrainedConfig`): The model's configuration.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        train_texts (`Sequence[str]`): Texts on which sensitive nodes are found.
        dev_texts (`Sequence[str]`), dev_labels (`np.ndarray`): Where int8 is compared with fp32.
        max_length (`int`): Longer texts are cut to this number of tokens.
        max_loss (`float`, *optional*): Points that a headline metric may lose on dev.
        max_difference (`float`, *optional*): Mean absolute difference that probabilities may have on dev.

    Returns:
        `Int8Report`: What it costs.

    Raises:
        ValueError: If dev loses more than that even with half of the nodes in fp32. There is no file then.
    """

    def logits(path: Path, texts: Sequence[str]) -> np.ndarray:
        model: Any = OnnxClassifier(path, config)
        return predict_logits(model, tokenizer, texts, max_length=max_length)

    problem_type = problem_type_of(config)
    thresholds = getattr(config, "thresholds", None)
    expected = logits(source, dev_texts)
    nodes = weighted_nodes(source)

    def report(left_out: list[str]) -> Int8Report:
        quantize(source, target, exclude=left_out)
        found = logits(target, dev_texts)
        scores = {
            name: score(one, dev_labels, problem_type, thresholds)
            for name, one in (("fp32", expected), ("int8", found))
        }
        metrics = {
            metric: {name: round(100 * values[metric], 4) for name, values in scores.items()}
            for metric in HEADLINE[problem_type]
        }
        difference = mean_difference(expected, found, problem_type)
        return Int8Report("dev", len(dev_texts), metrics, difference, len(nodes), left_out)

    def passes(found: Int8Report) -> bool:
        return found.largest_loss <= max_loss and found.probability_difference <= max_difference

    found = report([])
    if not passes(found):
        texts = list(train_texts[:SENSITIVITY_TEXTS])
        reference = logits(source, texts)
        effects = {}
        for node in nodes:
            quantize(source, target, only=[node])
            effects[node] = mean_difference(reference, logits(target, texts), problem_type)
        ranked = sorted(nodes, key=lambda node: -effects[node])
        count = 1
        while not passes(found) and count <= (1 - LEAST_QUANTIZED) * len(nodes):
            found = report(ranked[:count])
            count *= 2
    if not passes(found):
        target.unlink()
        raise ValueError(
            f"--precision int8: dev loses {found.largest_loss:.2f} points (at most {max_loss}), and probabilities "
            f"differ by {found.probability_difference:.4f} on average (at most {max_difference}), even with "
            f"{len(found.left_out)} of {len(nodes)} nodes in fp32. Export with --precision fp32."
        )
    return found


def quantize(source: Path, target: Path, exclude: Sequence[str] = (), only: Sequence[str] = ()) -> None:
    """Write an int8 version of an ONNX file.

    Args:
        source (`Path`), target (`Path`): The files.
        exclude (`Sequence[str]`): Names of nodes that stay in fp32.
        only (`Sequence[str]`): Names of the only nodes to quantise; all if there are none.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quiet_tools():
        quantize_dynamic(
            _without_weights_in_value_info(source),
            target,
            op_types_to_quantize=list(OPERATORS),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_as_quantised(exclude),
            nodes_to_quantize=_as_quantised(only),
        )


def weighted_nodes(path: Path) -> list[str]:
    """Names of the nodes of an ONNX file that multiply by weights or look them up."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    matrices = {one.name for one in graph.initializer if len(one.dims) == 2}
    # A lookup has its table first, a product its weights second.
    places = {"Gather": 0, "MatMul": 1, "Gemm": 1}
    return [node.name for node in graph.node if node.op_type in places and node.input[places[node.op_type]] in matrices]


def mean_difference(first: np.ndarray, second: np.ndarray, problem_type: str) -> float:
    """Mean absolute difference between the probabilities of two arrays of logits `(texts, labels)`."""
    return float(np.abs(probabilities(first, problem_type) - probabilities(second, problem_type)).mean())


def _as_quantised(names: Sequence[str]) -> list[str]:
    """Names of nodes with those that they have while they are quantised, where each Gemm is a MatMul first."""
    return [*names, *(f"{name}_MatMul" for name in names)]


def _without_weights_in_value_info(path: Path) -> Any:
    """The model without the noted shapes of weights, which quantisation transposes and then trips over."""
    import onnx

    model = onnx.load(path)
    weights = {one.name for one in model.graph.initializer}
    kept = [one for one in model.graph.value_info if one.name not in weights]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    return model
