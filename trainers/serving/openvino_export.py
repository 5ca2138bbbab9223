"""Classifiers in OpenVINO's own format."""

from pathlib import Path

from .onnx_export import quiet_tools


def write_openvino(source: Path, target: Path) -> None:
    """Convert an ONNX classifier. Weights stay in single precision.

    Args:
        source (`Path`): The ONNX file.
        target (`Path`): The file of the graph, `.xml`; the weights are written beside it.
    """
    import openvino

    target.parent.mkdir(parents=True)
    with quiet_tools():
        openvino.save_model(openvino.convert_model(source), target, compress_to_fp16=False)


__all__ = ["write_openvino"]
