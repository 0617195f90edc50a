"""From a trained network to files: half-precision weights for transformers, ONNX for serving, parity proven."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from safetensors.torch import save_file

from training.finetune import predict
from training.fused_attention import DOMAIN, fused
from training.model import TriageModel
from triage.encode import Encoded, collate
from triage.errors import ArtefactError

OPSET = 17


def round_to_half(model: TriageModel) -> None:
    """Round all weights to half precision in place, so that what is stored is exactly what was measured."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())


def stored_name(name: str, encoder: str) -> str:
    """The name in `model.safetensors` of a parameter of the network: transformers looks for `encoder` by its type."""
    return name.replace("encoder.", f"{encoder}.", 1) if name.startswith("encoder.") else name


def save_weights(model: TriageModel, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` (half precision); transformers loads the encoder from them."""
    model.encoder.config.save_pretrained(folder)
    encoder = model.encoder.base_model_prefix
    tensors = {stored_name(name, encoder): tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def export_onnx(model: TriageModel, folder: Path) -> None:
    """Write `model.onnx`: `ids`, `roles`, `mask` `[cases, windows, tokens]` to `logits` and `contributions`.

    The weights stay in the `model.safetensors` of the folder; the graph points into that file.
    """
    model.eval()
    example = torch.ones(2, 2, 8, dtype=torch.int64)
    names = ("ids", "roles", "mask")
    buffer = io.BytesIO()
    # The tracing exporter: torch.export's guards on transformers' mask code give wrong logits for other shapes.
    # Of what it fears to have got wrong, `prove_parity` says whether it did.
    with warnings.catch_warnings():
        for fear in ("Converting a tensor to a Python boolean", "Exporting aten::index operator"):
            warnings.filterwarnings("ignore", fear)
        torch.onnx.export(
            fused(model).eval(),
            (example, torch.zeros_like(example), example),
            buffer,  # type: ignore[arg-type]  # documented for the tracing exporter
            input_names=list(names),
            output_names=["logits", "contributions"],
            dynamic_axes={name: {0: "cases", 1: "windows", 2: "tokens"} for name in names},
            opset_version=OPSET,
            custom_opsets={DOMAIN: 1},
            dynamo=False,
            do_constant_folding=False,
        )
    proto = onnx.load_from_string(buffer.getvalue())
    _share_weights(proto.graph, folder / "model.safetensors", model.encoder.base_model_prefix)
    onnx.save(proto, folder / "model.onnx")


def _share_weights(graph: onnx.GraphProto, weights: Path, encoder: str) -> None:
    """Make every initializer that lies in the safetensors file a reference into it, widened where it is used."""
    with weights.open("rb") as file:
        header_size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_size))
    for tensor in graph.initializer:
        entry = header.get(stored_name(tensor.name, encoder))
        if entry is None:
            continue
        first, last = entry["data_offsets"]
        tensor.ClearField("raw_data")
        tensor.data_type = TensorProto.FLOAT16
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", 8 + header_size + first), ("length", last - first)):
            tensor.external_data.add(key=key, value=str(value))
        _widen(graph, tensor.name)
    del graph.value_info[:]


def _widen(graph: onnx.GraphProto, name: str) -> None:
    """Cast a half-precision initializer to single precision: what is taken from it if it is only looked up, else all.

    ONNX Runtime folds the second kind when it loads the graph.
    """
    users = [node for node in graph.node if name in node.input]
    if all(node.op_type == "Gather" and node.input[0] == name for node in users):
        for node in users:
            widened, taken = node.output[0], f"{node.output[0]}_half"
            node.output[0] = taken
            place = list(graph.node).index(node) + 1
            graph.node.insert(place, helper.make_node("Cast", [taken], [widened], to=TensorProto.FLOAT))
        return
    for node in users:
        node.input[:] = [f"{name}_wide" if given == name else given for given in node.input]
    graph.node.insert(0, helper.make_node("Cast", [name], [f"{name}_wide"], to=TensorProto.FLOAT))


def prove_parity(
    model: TriageModel, encoded: Sequence[Encoded], exported: NDArray[np.float32], tolerance: float = 1e-3
) -> float:
    """Largest difference between the logits of torch and those `exported`; ArtefactError above `tolerance`."""
    worst = float(np.abs(exported - predict(model, encoded)).max())
    if worst > tolerance:
        raise ArtefactError(f"model.onnx: torch and ONNX logits may differ by {tolerance}; they differ by {worst:.2g}")
    return worst


def logits_of(path: Path, encoded: Sequence[Encoded]) -> NDArray[np.float32]:
    """Logits `[cases, labels]` of an ONNX file, one case a call."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [one.name for one in session.get_inputs()]
    rows = []
    for one in encoded:
        batch = collate([one])
        rows += session.run(["logits"], {name: getattr(batch, name) for name in inputs})
    return np.concatenate(rows)
