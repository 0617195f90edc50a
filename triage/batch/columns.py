"""Which column is which field: explicit mapping first, then the headers that service centres use.

A table with one row a turn is known by a column that says who speaks, or by one that numbers the turns of a call.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice

from triage.case import Case
from triage.errors import InputError

FindColumns = Callable[[str, Sequence[str], Mapping[str, str]], dict[str, int]]
"""Where in the header of a source each field has its column: `(source, names, mapping)`; InputError if one lacks."""
_DECORATION = re.compile(r"[(\[【].*?[)\]】]|[\s_*:.\-\ufeff]")
_HEADERS = {
    "id": "id caseid ticketid contactid 工单号 工单编号 工单id 编号 单号 流水号 投诉编号 投诉单号 会话id 录音编号 序号",
    "text": "text 工单内容 投诉内容 诉求内容 客户诉求 诉求 通话内容 对话内容 会话内容 对话 内容 投诉描述 问题描述 "
    "通话文本 转写文本 识别文本 识别结果 聊天记录 留言内容 留言 评价内容 评论内容 正文 文本 "
    "content transcript message body complaint description",
    "turns": "turns 对话轮次",
    "channel": "channel 渠道 受理渠道 投诉渠道 来源渠道 来源",
    "customer_key": "customerkey customerid 客户号 客户编号 客户id 会员号 用户id",
    "agent_id": "agentid agent 坐席工号 坐席号 坐席编号 坐席 座席工号 座席 客服工号 工号 受理人",
    "product": "product 产品 产品名称 产品类型 商品 商品名称 业务类型",
    "region": "region 地区 区域 省份 城市 归属地",
    "customer_type": "customertype 客户类型 客户级别 客户等级",
    "created_at": "createdat created 时间 创建时间 受理时间 投诉时间 来电时间 日期 date time",
    "prior_contacts": "priorcontacts 历史投诉次数 历史来电次数 投诉次数 来电次数 重复投诉次数",
}
_TURN_HEADERS = {
    "speaker": "speaker speakerid role 说话人 发言人 说话者 角色 发言角色 说话人角色 对话角色",
    "order": "turn turnid turnno utteranceid sentenceid 轮次 句序 发言顺序 句子序号",
}
_MORE_TURN_HEADERS = {
    "id": "callid conversationid sessionid dialogueid 通话编号 通话id 会话编号 会话id 录音编号 录音id",
    "text": "utterance sentence 发言内容 说话内容 话术内容",
    "order": "order seq sequence starttime begintime start begin 序号 顺序 开始时间 起始时间",
}
_GUESSES = {field: names.split() for field, names in _HEADERS.items()}
_SIGNS_OF_TURNS = " ".join(_TURN_HEADERS.values()).split()
_TURN_GUESSES = {
    **_GUESSES,
    "speaker": _TURN_HEADERS["speaker"].split(),
    "id": f"{_MORE_TURN_HEADERS['id']} {_HEADERS['id']}".split(),
    "text": f"{_MORE_TURN_HEADERS['text']} {_HEADERS['text']}".split(),
    "order": f"{_TURN_HEADERS['order']} {_MORE_TURN_HEADERS['order']}".split(),
}
TURN_FIELDS = tuple(_TURN_HEADERS)
_LONGEST_HEADER = 20
_ROWS_ABOVE = 5
FIELDS = (*Case.model_fields, *TURN_FIELDS)


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """`["text=内容"]` as `{"text": "内容"}`; InputError for an unknown field or a wrong shape."""
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not column or field not in FIELDS:
            raise InputError(f"--map: allowed is FIELD=COLUMN with FIELD one of {list(FIELDS)}, given {pair!r}")
        mapping[field] = column
    return mapping


def match_columns(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Field to position of its column, for every field that has one."""
    exact = {name.strip("\ufeff \t"): position for position, name in reversed(list(enumerate(names)))}
    known = {plain(name): position for position, name in reversed(list(enumerate(names)))}
    matched = {field: exact[column] for field, column in mapping.items() if column in exact}
    turns = has_turns(mapping) or any(sign in known for sign in _SIGNS_OF_TURNS)
    for field, guesses in (_TURN_GUESSES if turns else _GUESSES).items():
        found = [known[guess] for guess in guesses if guess in known and known[guess] not in matched.values()]
        if found and field not in mapping:
            matched[field] = found[0]
    return matched


def require_columns(source: str, names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """As `match_columns`; InputError if a mapped column or any column of words is not there."""
    matched = match_columns(names, mapping)
    missing = [column for field, column in mapping.items() if field not in matched]
    if missing:
        raise InputError(f"{source}: --map names column {missing[0]!r}; columns found: {shown(names)}")
    if "text" not in matched and "turns" not in matched:
        raise InputError(
            f"{source}: no column with the text; name it with --map text=COLUMN, or add a header row; "
            f"columns found: {shown(names)}"
        )
    require_turn_columns(source, names, matched)
    return matched


def require_turn_columns(source: str, names: Sequence[str], columns: Collection[str]) -> None:
    """InputError if there is one row a turn, and nothing says of which call, or what was said."""
    if has_turns(columns) and not {"id", "text"} <= set(columns):
        raise InputError(
            f"{source}: one row a turn needs a column with the call's id and one with the text; name them with "
            f"--map id=COLUMN --map text=COLUMN; columns found: {shown(names)}"
        )


def find_header(
    source: str, rows: Iterable[Sequence[str]], mapping: Mapping[str, str], find_columns: FindColumns
) -> tuple[int, list[str], dict[str, int]]:
    """How many rows stand above the header (titles, blank ones), its names, and the columns; InputError if none is."""
    problems = []
    for above, names in enumerate(islice(rows, _ROWS_ABOVE + 1)):
        try:
            return above, list(names), find_columns(source, names, mapping)
        except InputError as problem:
            problems += [problem] if any(names) else []
    raise problems[0] if problems else InputError(f"{source}: the file is empty; a header line and rows are needed")


def shown(names: Sequence[str]) -> str:
    """Headers in a message. What is too long for one may be the words of a customer, and is left out."""
    return ", ".join(name if len(name) <= _LONGEST_HEADER else "…" for name in names if name) or "none"


def has_turns(columns: Collection[str]) -> bool:
    """Whether a table with these fields has one row a turn: it says who speaks, or the place of a turn in its call."""
    return any(field in columns for field in TURN_FIELDS)


def plain(name: str) -> str:
    """A header without decoration, width and case: 【风险等级】 and 风险等级（必填） are one."""
    return _DECORATION.sub("", unicodedata.normalize("NFKC", name)).lower()
