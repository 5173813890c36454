"""`restore-reranker`: the bundled reranker's model folder, back as what training goes on from. The folder that ships holds
no checkpoint, and its ONNX file has all of the weights."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from askbase_training.export import PAIR_INPUTS, compare_with_pytorch
from askbase_training.model_folder import model_file
from askbase_training.reranker import Reranker, RerankerShape

RESTORE_TOLERANCE = 0.5


def restore_reranker(model_folder: Path, out: Path, shape: RerankerShape = RerankerShape()) -> float:
    """Writes `best.pt`, `table.npy`, `classes.npy` and `tokenizer.json`, so that `out` serves as `--tokenizer` and its
    files as `--start` and `--table`. Gives the largest difference of a logit to the ONNX file (int8 rounds what flows
    through it, so it is not zero), and raises ValueError where that is more than rounding."""
    path, tokenizer, _ = model_file(model_folder)
    state = restore_state(path)
    state["words.weight"] = state.pop("words.values").float() * state.pop("words.scale")[:, None]
    classes = state["classes"].numpy()
    table = state["rows.values"].float() * (state["rows.scale"] * state["lengths"])[:, None]
    model = Reranker(classes, table.numpy(), state["idf"].numpy(), shape)
    model.load_state_dict(state)
    difference = compare_with_pytorch(model.eval(), path, PAIR_INPUTS, len(classes))
    if difference > RESTORE_TOLERANCE:
        raise ValueError(f"the weights read from {path.name} give other logits, by {difference:.2f}")
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "best.pt")
    np.save(out / "table.npy", table.numpy())
    np.save(out / "classes.npy", classes)
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    return difference


def restore_state(path: Path) -> dict[str, Tensor]:
    """Parameters and buffers by PyTorch's names, from a file of `export` or `quantise`. The weight of a linear layer has
    lost its name there: it is the constant factor of the product that the layer's bias is added to."""
    graph = onnx.load(str(path)).graph
    constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    state = {name: array for name, array in constants.items() if _is_named(name)}
    for node in graph.node:
        biases = [name for name in node.input if name in constants and name.endswith(".bias")]
        if node.op_type == "Add" and biases:
            product = next(name for name in node.input if name != biases[0])
            state[biases[0].removesuffix("bias") + "weight"] = _factor(product, producers, constants).T
    return {name: torch.from_numpy(np.array(array)) for name, array in state.items()}


def _is_named(name: str) -> bool:
    return not name.startswith("onnx::") and not name.endswith(("_quantized", "_scale", "_zero_point"))


def _factor(output: str, producers: dict, constants: dict[str, np.ndarray]) -> np.ndarray:
    """The weight `[in, out]` of the product behind `output`, through the scaling that int8 adds."""
    node = producers[output]
    while node.op_type in ("Mul", "Cast"):
        node = producers[node.input[0]]
    name = node.input[1]
    if node.op_type == "MatMul":
        return constants[name]
    if node.op_type != "MatMulInteger":
        raise ValueError(f"{output} is no product with a weight but {node.op_type}")
    weight = name.removesuffix("_quantized")
    zero = constants[f"{weight}_zero_point"].astype(np.float32)
    return (constants[name].astype(np.float32) - zero) * constants[f"{weight}_scale"]
