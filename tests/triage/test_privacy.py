import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.normalise import normalise
from triage.privacy import IDENTIFIERS, find, mask, mask_text

FOUND = {
    "mobile": [
        ("我电话13800138000你打", "13800138000"),
        ("+86 138 0013 8000", "+86 138 0013 8000"),
        ("138-0013-8000 找我", "138-0013-8000"),
        ("号码是幺三八零零幺三八零零零", "幺三八零零幺三八零零零"),
        ("一三八 零零一三 八零零零 对", "一三八 零零一三 八零零零"),
        ("打19912345678", "19912345678"),
    ],
    "resident_id": [
        ("身份证11010519491231002X", "11010519491231002X"),
        ("证件 110105194912310021", None),
        ("身份证号110105194912310021", "110105194912310021"),
        ("幺幺零幺零五幺九四九幺二三幺零零二X", "幺幺零幺零五幺九四九幺二三幺零零二X"),
    ],
    "bank_card": [
        ("转到6222020200112233440", None),
        ("4111 1111 1111 1111 这张", "4111 1111 1111 1111"),
        ("卡号6222020200112233441", "6222020200112233441"),
        ("我的信用卡5105105105105100", "5105105105105100"),
    ],
    "landline": [
        ("010-62345678找王经理", "010-62345678"),
        ("(0571)87654321", "(0571)87654321"),
        ("家里电话62345678", "62345678"),
        ("0512-6234567转801", "0512-6234567转801"),
    ],
    "email": [
        ("发到zhang.san@example.com吧", "zhang.san@example.com"),
        ("a_b-c@mail.example.org", "a_b-c@mail.example.org"),
    ],
    "plate": [
        ("车牌京A12345", "京A12345"),
        ("粤B·D12345充电", "粤B·D12345"),
        ("沪A 8F321停门口", "沪A 8F321"),
        ("车是辽Z八F二零七", "辽Z八F二零七"),
    ],
    "account": [("加我微信abc_12345", "abc_12345"), ("QQ:123456789", "123456789"), ("vx是lihua2020", "lihua2020")],
}
NOT_FOUND = [
    "我要打12315和12345",
    "客服电话10086、95588",
    "400-800-1234是你们总机",
    "订单号2023112612345678901",
    "运单SF1234567890123",
    "一共13800元,交了138块",
    "打了一二三四五六七八九十遍",
    "2023年11月26日14:30",
    "等了12345678901秒",
    "型号A12345不是车牌",
    "微信支付不了",
    "QQ会员乱扣费",
    "11111111111",
    "卡里1234567890123456元",
    "@小红书 你们管不管",
]
CASES = [(kind, text, wanted) for kind, rows in FOUND.items() for text, wanted in rows]


@pytest.mark.parametrize(("kind", "text", "wanted"), CASES, ids=[text for _, text, _ in CASES])
def test_found(kind: str, text: str, wanted: str | None) -> None:
    normalised = normalise(text).text
    spans = [(span.kind, normalised[span.start : span.end]) for span in find(normalised)]
    assert (kind, wanted) in spans if wanted else all(found != kind for found, _ in spans)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_not_found(text: str) -> None:
    assert find(normalise(text).text) == []


def test_every_identifier_has_a_table() -> None:
    assert {row.kind for row in IDENTIFIERS} == set(FOUND)


@pytest.mark.parametrize("text", ["手机１３８００１３８０００", "手機 138\u200b00138000", "138 0013 8000"])
def test_disguised_numbers_are_masked_in_place(text: str) -> None:
    masked = mask_text(text)
    assert "[手机号]" in masked
    assert "8000" not in masked
    assert masked.startswith(text[:2]) or masked == "[手机号]"


@given(st.text(st.sampled_from("138 00一三八零-X京A@.投诉卡号微信身份证"), max_size=60))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(normalise(text))
    assert mask(once).text == once.text
    assert find(once.text) == []
