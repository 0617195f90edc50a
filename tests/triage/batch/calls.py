"""Made-up calls and tickets for tests of whole runs, and what a report says apart from when it was made."""

from __future__ import annotations

import json
import re
from pathlib import Path

from openpyxl import load_workbook

TEXTS = ("没人管,打12315", "谢谢", "boom", "算了,行吧,电话13800138000", "")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def write_mixed(path: Path, rows: int) -> Path:
    """Tickets with every kind of answer, each third one a call whose agent has a lapse, over ten weeks."""
    with path.open("w", encoding="utf-8") as stream:
        for number in range(rows):
            known = {
                "id": f"T-{number}",
                "product": ("宽带", "手机")[number % 2],
                "agent_id": f"A{number % 4}",
                "created_at": f"2024-{3 + number % 3:02}-{1 + number % 28:02}T09:00:00",
            }
            text = TEXTS[number % 5]
            turns = [{"speaker": "customer", "text": text or "喂"}, {"speaker": "agent", "text": "我也没办法"}]
            stream.write(json.dumps({**known, **({"turns": turns} if number % 3 == 0 else {"text": text})}) + "\n")
    return path


def report_content(path: Path) -> object:
    """Page or workbook without the minute in which it was written."""
    if path.suffix == ".html":
        return _WHEN.sub("", path.read_text("utf-8"))
    sheets = {sheet.title: list(sheet.values) for sheet in load_workbook(path)}
    return {name: [row for row in rows if "生成时间" not in row] for name, rows in sheets.items()}
