"""From a trained network to files: half-precision weights for transformers, ONNX for serving, parity proven."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

from training.finetune import predict
from training.model import TriageModel
from triage.encode import Encoded, collate
from triage.errors import ArtefactError

OPSET = 17


def round_to_half(model: TriageModel) -> None:
    """Round all weights to half precision in place, so that what is stored is exactly what was measured."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())


def save_weights(model: TriageModel, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` (half precision); transformers loads the encoder from them."""
    model.encoder.config.save_pretrained(folder)
    tensors = {
        name.replace("encoder.", "roformer.", 1) if name.startswith("encoder.") else name: tensor.half().contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def export_onnx(model: TriageModel, path: Path) -> None:
    """Write the network as ONNX: `ids`, `roles`, `mask` `[cases, windows, tokens]` to `logits` and `contributions`."""
    model.eval()
    example = torch.ones(2, 2, 8, dtype=torch.int64)
    names = ("ids", "roles", "mask")
    buffer = io.BytesIO()
    # The tracing exporter: torch.export's guards on transformers' mask code give wrong logits for other shapes.
    torch.onnx.export(
        model,
        (example, torch.zeros_like(example), example),
        buffer,  # type: ignore[arg-type]  # documented for the tracing exporter
        input_names=list(names),
        output_names=["logits", "contributions"],
        dynamic_axes={name: {0: "cases", 1: "windows", 2: "tokens"} for name in names},
        opset_version=OPSET,
        dynamo=False,
    )
    proto = onnx.load_from_string(buffer.getvalue())
    _halve_tables(proto)
    onnx.save(proto, path)


def _halve_tables(proto: onnx.ModelProto) -> None:
    """Store tables that are only looked up (`Gather`) in half precision and widen what is taken from them."""
    graph = proto.graph
    tables = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2 and tensor.dims[0] > 1_000}
    users = {name: [node for node in graph.node if name in node.input] for name in tables}
    for name, nodes in users.items():
        if not nodes or any(node.op_type != "Gather" or node.input[0] != name for node in nodes):
            continue
        array = numpy_helper.to_array(tables[name]).astype(np.float16)
        tables[name].CopyFrom(numpy_helper.from_array(array, name))
        for node in nodes:
            widened, taken = node.output[0], f"{node.output[0]}_half"
            node.output[0] = taken
            position = list(graph.node).index(node)
            cast = helper.make_node("Cast", [taken], [widened], to=TensorProto.FLOAT, name=f"{node.name}_widen")
            graph.node.insert(position + 1, cast)
    del graph.value_info[:]


def prove_parity(model: TriageModel, path: Path, encoded: list[Encoded], tolerance: float = 1e-3) -> float:
    """Largest difference between the logits of torch and ONNX Runtime; ArtefactError above `tolerance`."""
    expected = predict(model, encoded)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for row, one in enumerate(encoded):
        batch = collate([one])
        (logits,) = session.run(["logits"], {"ids": batch.ids, "roles": batch.roles, "mask": batch.mask})
        worst = max(worst, float(np.abs(logits[0] - expected[row]).max()))
    if worst > tolerance:
        raise ArtefactError(f"{path}: torch and ONNX logits may differ by {tolerance}; they differ by {worst:.2g}")
    return worst
