"""Start to first answer: `triage explain` beside plain transformers. Run: python benchmarks/startup.py

Prints seconds (median of five runs each, taken in turn) and their ratio. Needs the 'train' extra for the second one.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = "说好三天退款，这都第三次打电话了，你们领导呢？"
ROUNDS = 5
PROGRAMS = {
    "triage explain": f"import sys; sys.argv = ['triage', 'explain', {TEXT!r}]; from triage.cli import main; main()",
    "plain transformers": (
        "import torch\n"
        "from transformers import AutoModel, PreTrainedTokenizerFast\n"
        "tokenizer = PreTrainedTokenizerFast(tokenizer_file='models/default/tokenizer.json')\n"
        "model = AutoModel.from_pretrained('models/default')\n"
        f"ids = tokenizer(list({TEXT!r}), is_split_into_words=True, return_tensors='pt')['input_ids']\n"
        "with torch.no_grad():\n"
        "    model(input_ids=ids)\n"
    ),
}


def seconds(program: str) -> float:
    """Wall time of one process from start to end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - started


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS):
        for name, program in PROGRAMS.items():
            times[name].append(seconds(program))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name}: {value:.2f} s")
    print(f"ratio: {medians['plain transformers'] / medians['triage explain']:.1f}")


if __name__ == "__main__":
    main()
