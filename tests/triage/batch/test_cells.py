"""Values and headers as people write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from triage.batch.cells import cell_text, iso_date, tidy
from triage.batch.columns import match_columns, parse_mapping
from triage.errors import InputError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (1001.0, "1001"),
        (2.5, "2.5"),
        (7, "7"),
        ("a", "a"),
        ("#REF!", ""),
        (datetime(2024, 3, 5, 9, 20), "2024-03-05T09:20:00"),
        (date(2024, 3, 5), "2024-03-05"),
    ],
)
def test_cell_text(value: object, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024/3/5 9:20", "2024-03-05T09:20:00"),
        ("2024.03.05", "2024-03-05T00:00:00"),
        ("2024年3月5日", "2024-03-05T00:00:00"),
        ("2024年3月5日 9时20分15秒", "2024-03-05T09:20:15"),
        ("2024-3-5 9\uff1a20", "2024-03-05T09:20:00"),
        ("20240305", "2024-03-05T00:00:00"),
        ("20240305092015", "2024-03-05T09:20:15"),
        ("2024-03-05T09:20:00+08:00", "2024-03-05T09:20:00+08:00"),
        ("1710469200", "1710469200"),
        ("45356.388888888889", "2024-03-05T09:20:00"),
        ("45356", "2024-03-05T00:00:00"),
        ("3.5", "3.5"),
        ("昨天", "昨天"),
    ],
)
def test_iso_date(written: str, iso: str) -> None:
    assert iso_date(written) == iso


@pytest.mark.parametrize("nothing", ["", "  ", "-", "NULL", "nan", "None", "N/A", None])
def test_nothing_is_left_out_but_words_stay(nothing: str | None) -> None:
    assert tidy({"product": nothing, "channel": nothing, "text": nothing}) == {"text": nothing}


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (["工单号", "工单内容"], {"id": 0, "text": 1}),
        (["Ticket ID", "Content"], {"id": 0, "text": 1}),
        (["处理内容", "投诉内容(必填)", " 渠道 "], {"text": 1, "channel": 2}),
        (["内容", "text"], {"text": 1}),
        (["\ufeffid", "对话", "坐席/工号", "agent_id"], {"id": 0, "text": 1, "agent_id": 3}),
        (["text", "text"], {"text": 0}),
        (["姓名"], {}),
        (
            ["id", "通话编号", "角色", "发言内容", "序号", "时间"],
            {"speaker": 2, "id": 1, "text": 3, "order": 4, "created_at": 5},
        ),
        (["call_id", "speaker", "text", "start_time"], {"speaker": 1, "id": 0, "text": 2, "order": 3}),
        (["会话ID", "轮次", "内容"], {"id": 0, "order": 1, "text": 2}),
        (["id", "开始时间", "order", "content"], {"id": 0, "text": 3}),
    ],
)
def test_headers_are_guessed(headers: list[str], found: dict[str, int]) -> None:
    assert match_columns(headers, {}) == found


def test_a_column_serves_one_field() -> None:
    assert match_columns(["来源", "内容"], {"region": "来源"}) == {"region": 0, "text": 1}


@pytest.mark.parametrize("pair", ["text", "text=", "=内容", "words=内容"])
def test_bad_mapping(pair: str) -> None:
    with pytest.raises(InputError, match="FIELD=COLUMN"):
        parse_mapping([pair])
