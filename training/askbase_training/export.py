"""`export` and `quantise`: ONNX files from trained models, checked against what PyTorch computes."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from askbase_training.reranker import VectorTable

OPSET = 17
EXPORT_TOLERANCE = 1e-4
PAIR_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TEXT_INPUTS = ("input_ids", "attention_mask")


class ExportedEmbedder(nn.Module):
    """Token ids → unit vectors, with the folded table in int8."""

    def __init__(self, classes: np.ndarray, table: np.ndarray):
        super().__init__()
        self.register_buffer("classes", torch.tensor(classes, dtype=torch.int32))
        self.rows = VectorTable(torch.tensor(table, dtype=torch.float32))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        total = (self.rows(self.classes[input_ids]) * attention_mask.to(torch.float32)[:, :, None]).sum(dim=1)
        return total / total.square().sum(dim=1, keepdim=True).clamp(min=1e-12).sqrt()


def sample_inputs(names: Sequence[str], vocabulary: int, batch: int, length: int, seed: int = 0) -> dict[str, Tensor]:
    """Random token ids in the layout of a pair (`[CLS] … [SEP] … [SEP]`), the last row partly padded."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, vocabulary, (batch, length), generator=generator)
    boundary = max(2, length // 4)
    ids[:, boundary + 1 : 2 * boundary] = ids[:, 1:boundary]
    ids[:, 0], ids[:, boundary] = 2, 3
    mask, types = torch.ones_like(ids), torch.zeros_like(ids)
    types[:, boundary + 1 :] = 1
    mask[-1, length - length // 5 :] = 0
    ids = ids * mask
    every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types * mask}
    return {name: every[name] for name in names}


def export_onnx(model: nn.Module, path: Path, inputs: Sequence[str], output: str, vocabulary: int) -> float:
    """Writes the graph with dynamic batch and sequence and returns the largest difference to PyTorch over several
    shapes; raises where that exceeds `EXPORT_TOLERANCE`."""
    model.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    example = sample_inputs(inputs, vocabulary, 3, 90)
    axes = {name: {0: "batch", 1: "sequence"} for name in inputs} | {output: {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(example.values()),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    difference = compare_with_pytorch(model, path, inputs, vocabulary)
    if difference > EXPORT_TOLERANCE:
        raise ValueError(f"{path.name} differs from PyTorch by {difference:.2e}")
    return difference


@torch.no_grad()
def compare_with_pytorch(model: nn.Module, path: Path, inputs: Sequence[str], vocabulary: int) -> float:
    session = open_session(path)
    worst = 0.0
    for batch, length in ((1, 12), (4, 64), (2, 65), (3, 200), (2, 512)):
        sample = sample_inputs(inputs, vocabulary, batch, length, seed=length)
        expected = model(*sample.values()).numpy()
        actual = session.run(None, {name: tensor.numpy() for name, tensor in sample.items()})[0]
        worst = max(worst, float(np.abs(expected - actual).max()))
    return worst


def open_session(path: Path, threads: int = 1):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def quantise_onnx(source: Path, target: Path) -> None:
    """Matrix products with weights in dynamic int8; everything else as it was."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(source), str(target), weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm"]
    )
