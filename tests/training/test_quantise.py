"""Eight-bit products: which ones, how exact, and that nothing else in the graph changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.quantise import LEVELS, quantise

ROWS, INNER, OUT = 7, 24, 5


def graph(path: Path, name: str, matrix: np.ndarray) -> None:
    """A product with half-precision weights that are widened and transposed, as the exporter writes it."""
    nodes = [
        helper.make_node("Cast", [name], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["wide"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "turned"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(one, TensorProto.FLOAT, None) for one in "xy")
    weights = numpy_helper.from_array(matrix.astype(np.float16), name)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(helper.make_graph(nodes, "product", [x], [y], [weights]), opset_imports=opsets), path)


def run(path: Path, x: np.ndarray) -> np.ndarray:
    (y,) = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["y"], {"x": x})
    return np.asarray(y)


@pytest.mark.parametrize("spread", [1e-3, 1.0, 50.0])
def test_a_product_is_off_by_no_more_than_its_steps(tmp_path: Path, spread: float) -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.standard_normal((OUT, INNER)) * spread).astype(np.float16).astype(np.float32)
    x = rng.standard_normal((ROWS, INNER)).astype(np.float32)
    graph(tmp_path / "model.onnx", "encoder.weight", matrix)
    exact = run(tmp_path / "model.onnx", x)
    assert quantise(tmp_path / "model.onnx") == 1
    weight_step, input_step = np.abs(matrix).max(1) / LEVELS, (x.max() - x.min()) / 255
    allowed = 0.5 * np.abs(x).sum(1)[:, None] * weight_step + 0.5 * input_step * (np.abs(matrix).sum(1) + weight_step)
    moved = np.abs(run(tmp_path / "model.onnx", x) - exact)
    assert moved.max() > 0
    assert (moved <= 1.01 * allowed).all()


def test_a_row_of_zeros_stays_zero(tmp_path: Path) -> None:
    matrix = np.zeros((OUT, INNER))
    matrix[0] = 1
    graph(tmp_path / "model.onnx", "encoder.weight", matrix)
    quantise(tmp_path / "model.onnx")
    y = run(tmp_path / "model.onnx", np.ones((ROWS, INNER), dtype=np.float32))
    assert np.isfinite(y).all()
    assert (y[:, 1:] == 0).all()


def test_heads_keep_their_precision(tmp_path: Path) -> None:
    graph(tmp_path / "model.onnx", "heads.motive.weight", np.ones((OUT, INNER)))
    before = (tmp_path / "model.onnx").read_bytes()
    assert quantise(tmp_path / "model.onnx") == 0
    assert (tmp_path / "model.onnx").read_bytes() == before


def test_every_matrix_of_the_encoder_is_taken(tiny_model: Path) -> None:
    kinds = Counter(node.op_type for node in onnx.load(tiny_model / "model.onnx", load_external_data=False).graph.node)
    assert kinds["MatMulInteger"] == kinds["QuantizeLinear"] == 6
    assert kinds["MatMul"] > 0
