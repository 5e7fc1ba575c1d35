"""Reading what WeChat pushes, hostile input included, and building replies."""

import dataclasses
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.wechat.messages import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    REPLY_BYTES,
    BadPush,
    Location,
    Message,
    dedup_key,
    leaves,
    read,
    text_message,
    text_reply,
)

HEAD = (
    "<ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName>"
    "<CreateTime>1714112445</CreateTime>"
)


def document(rest: str) -> bytes:
    return f"<xml>{HEAD}{rest}</xml>".encode()


def text(content: str) -> bytes:
    return document(f"<MsgType><![CDATA[text]]></MsgType><MsgId>7</MsgId>{content}")


def event(name: str, rest: str = "") -> bytes:
    return document(f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event>{rest}")


def refusal(xml: bytes) -> str:
    with pytest.raises(BadPush) as caught:
        read(xml)
    assert caught.value.forged is False
    return caught.value.code


def as_received(content: str) -> str:
    """What XML leaves of a text sent raw: CR LF and CR become LF; what is no XML character is marked."""
    legal = "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in content)
    return legal.replace("\r\n", "\n").replace("\r", "\n")


# Reading


def test_text_message_is_read_whole() -> None:
    assert read(text("<Content><![CDATA[路灯坏了]]></Content><bizmsgmenuid>unbind1</bizmsgmenuid>")) == Message(
        to_user="gh_1",
        from_user="o1",
        create_time=1714112445,
        type="text",
        event=None,
        msg_id="7",
        content="路灯坏了",
        event_key=None,
        ticket=None,
        menu_id="unbind1",
        media_id=None,
        location=None,
        fields={
            "ToUserName": "gh_1",
            "FromUserName": "o1",
            "CreateTime": "1714112445",
            "MsgType": "text",
            "MsgId": "7",
            "Content": "路灯坏了",
            "bizmsgmenuid": "unbind1",
        },
    )


def test_type_and_event_are_read_in_any_case_and_the_key_as_sent() -> None:
    message = read(document("<MsgType>Event</MsgType><Event>SUBSCRIBE</Event><EventKey>qrscene_Aa</EventKey>"))
    assert (message.type, message.event, message.event_key) == ("event", "subscribe", "qrscene_Aa")
    assert message.fields["Event"] == "SUBSCRIBE"


@given(content=st.text() | st.sampled_from([" \t\n 两端空白 \n", "]]>", "a]]>b]]]>", "👨‍👩‍👧‍👦"]))
@example(content="坑😀" * 4_500)
def test_every_text_comes_back_as_sent_white_space_included(content: str) -> None:
    assert read(text_message("gh_1", "o1", content, 1, 2).encode()).content == as_received(content)


def test_plain_text_cdata_and_a_mixture_read_alike() -> None:
    for content in ("a&amp;b&#60;", "<![CDATA[a&b<]]>", "a<![CDATA[&b]]>&lt;", "a<!-- note -->&amp;b&lt;"):
        assert read(text(f"<Content>{content}</Content>")).content == "a&b<"


def test_citizens_codes_and_markup_stay_text() -> None:
    content = "/::) [微笑] <b>&amp;</b> =1+1"
    assert read(text_message("gh_1", "o1", content, 1, 2).encode()).content == content


def test_unknown_type_is_read_not_refused() -> None:
    message = read(document("<MsgType>miniprogrampage</MsgType><Title>标题</Title>"))
    assert (message.type, message.content, message.fields["Title"]) == ("miniprogrampage", None, "标题")


def test_unknown_event_is_read_not_refused() -> None:
    assert read(event("user_authorize_cancellation", "<OpenID>o2</OpenID>")).fields["OpenID"] == "o2"


def test_byte_order_mark_and_declaration_are_taken() -> None:
    assert read(b"\xef\xbb\xbf<?xml version='1.0'?>\n" + text("<Content>x</Content>")).content == "x"


def test_sixty_four_bit_ids_stay_exact() -> None:
    assert read(document("<MsgType>text</MsgType><MsgId>18446744073709551615</MsgId>")).msg_id == "18446744073709551615"


def test_template_result_gives_its_differently_spelt_id() -> None:
    assert read(event("TEMPLATESENDJOBFINISH", "<MsgID>99</MsgID><Status>success</Status>")).msg_id == "99"


def test_nested_leaves_are_named_by_their_path_and_repeated_ones_numbered() -> None:
    item = "<List><TemplateId>{}</TemplateId><SubscribeStatusString>{}</SubscribeStatusString></List>"
    lists = item.format("t1", "accept") + item.format("t2", "reject")
    fields = read(event("subscribe_msg_popup_event", f"\n<SubscribeMsgPopupEvent>\n{lists}\n</SubscribeMsgPopupEvent>"))
    assert list(fields.fields.items())[-4:] == [
        ("SubscribeMsgPopupEvent/List/TemplateId", "t1"),
        ("SubscribeMsgPopupEvent/List/SubscribeStatusString", "accept"),
        ("SubscribeMsgPopupEvent/List[2]/TemplateId", "t2"),
        ("SubscribeMsgPopupEvent/List[2]/SubscribeStatusString", "reject"),
    ]


@pytest.mark.parametrize(
    ("xml", "location"),
    [
        (
            document(
                "<MsgType>location</MsgType><Location_X>28.246</Location_X><Location_Y>113.08</Location_Y>"
                "<Scale>15</Scale><Label><![CDATA[长沙县星沙街道]]></Label>"
            ),
            Location(28.246, 113.08, "长沙县星沙街道"),
        ),
        (event("LOCATION", "<Latitude>-28.5</Latitude><Longitude>113</Longitude>"), Location(-28.5, 113.0, "")),
        (
            event(
                "location_select",
                "<SendLocationInfo><Location_X>28</Location_X><Location_Y>113</Location_Y><Label>村口</Label>"
                "</SendLocationInfo>",
            ),
            Location(28.0, 113.0, "村口"),
        ),
    ],
)
def test_places_are_read_latitude_first(xml: bytes, location: Location) -> None:
    assert read(xml).location == location


@pytest.mark.parametrize("x", ["", "nan", "inf", "1_0", "91", "-90.5", "1e1", "北纬28度", "٢٨", " 28"])
def test_place_that_cannot_be_read_loses_neither_message_nor_raw_value(x: str) -> None:
    message = read(document(f"<MsgType>location</MsgType><Location_X>{x}</Location_X><Location_Y>113</Location_Y>"))
    assert (message.location, message.fields["Location_X"]) == (None, x)


# Hostile input: the rows of wechat.md 5 that are XML

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f"<xml>{HEAD}<MsgType>text</MsgType><Content>&b;</Content></xml>"
)
UNREADABLE = {
    "billion laughs": LAUGHS.encode(),
    "quadratic blow-up": f'<!DOCTYPE x [<!ENTITY a "{"A" * 50_000}">]><xml>{"&a;" * 50_000}</xml>'.encode(),
    "one entity": b'<!DOCTYPE x [<!ENTITY a "b">]>' + text("<Content>&a;</Content>"),
    "external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + text("<Content>&a;</Content>"),
    "parameter entity": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/">%a;]>' + text(""),
    "external DTD": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd">' + text("<Content>x</Content>"),
    "DTD without entity": b"<!DOCTYPE xml [<!ELEMENT xml ANY>]>" + text("<Content>x</Content>"),
    "undeclared entity": text("<Content>&a;</Content>"),
    "100,000 nested tags": b"<a>" * 100_000 + b"</a>" * 100_000,
    "100,000 nested in the right root": b"<xml>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</xml>",
    "200,000 siblings": document("<a/>" * 200_000),
    "200,000 nested siblings": document(f"<MsgType>text</MsgType><A>{'<a/>' * 200_000}</A>"),
    "200,000 equal attributes": b"<xml " + b"a='1' " * 200_000 + b"/>",
    "empty body": b"",
    "white space": b" \n",
    "not XML": b"hello",
    "JSON": json.dumps({"MsgType": "text"}).encode(),
    "cut short": text("<Content><![CDATA[x]]></Content>")[:-8],
    "two roots": text("") + text(""),
    "root not xml": b"<html><MsgType>text</MsgType></html>",
    "root in upper case": b"<XML><MsgType>text</MsgType></XML>",
    "double MsgType": text("<MsgType>image</MsgType>"),
    "double Event": event("SCAN", "<Event>VIEW</Event>"),
    "double Content": text("<Content>a</Content><Content>b</Content>"),
    "double unknown field": text("<Odd>a</Odd><Odd>b</Odd>"),
    "double FromUserName": text("<FromUserName>o2</FromUserName>"),
    "Content with child": text("<Content><b/></Content>"),
    "Content with text and child": text("<Content>a<b>c</b></Content>"),
    "MsgType with child": document("<MsgType><a>text</a></MsgType>"),
    "text between the fields": document("<MsgType>text</MsgType>stray"),
    "text beside a nested field": document("<MsgType>text</MsgType><Info>stray<a>b</a></Info>"),
    "unescaped ]]>": text("<Content><![CDATA[a]]>b]]></Content>"),
    "reference to a control character": text("<Content>&#8;</Content>"),
    "reference to U+FFFF": text("<Content>&#xFFFF;</Content>"),
    "reference to a lone surrogate": text("<Content>&#xD800;</Content>"),
    "bad UTF-8": text("<Content>@</Content>").replace(b"@", b"\xff"),
    "overlong UTF-8": text("<Content>@</Content>").replace(b"@", b"\xc0\xbc"),
    "lone surrogate": text("<Content>@</Content>").replace(b"@", b"\xed\xa0\x80"),
    "GBK": "<xml><Content>路灯</Content></xml>".encode("gbk"),
    "GBK, declared": "<?xml version='1.0' encoding='gbk'?><xml><Content>路灯</Content></xml>".encode("gbk"),
    "UTF-16": text("").decode().encode("utf-16"),
}


@pytest.mark.parametrize("xml", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_xml_is_a_bad_push_of_wechats_own(xml: bytes) -> None:
    assert refusal(xml) == "xml"


UNTYPED = {
    "empty root": b"<xml/>",
    "no MsgType": document("<Content>x</Content>"),
    "empty MsgType": document("<MsgType></MsgType>"),
    "endless MsgType": document(f"<MsgType>{'t' * 100_000}</MsgType>"),
    "event without Event": document("<MsgType>event</MsgType>"),
    "empty Event": event(""),
    "InfoType instead of MsgType": b"<xml><AppId>wx1</AppId><InfoType>component_verify_ticket</InfoType></xml>",
}


@pytest.mark.parametrize("xml", UNTYPED.values(), ids=UNTYPED.keys())
def test_message_without_a_type_is_a_bad_push(xml: bytes) -> None:
    assert refusal(xml) == "type"


@pytest.mark.parametrize("seconds", ["", "-1", "1.5", "abc", "253402300800", "9" * 30, "٣", "1_0", " 1"])
def test_create_time_that_is_no_second_of_a_calendar_is_a_bad_push(seconds: str) -> None:
    assert refusal(text("").replace(b"1714112445", seconds.encode())) == "field"


@pytest.mark.parametrize("name", ["ToUserName", "FromUserName", "CreateTime"])
def test_missing_common_field_is_a_bad_push(name: str) -> None:
    assert refusal(text("").replace(name.encode(), b"Other")) == "field"


@pytest.mark.parametrize("field", ["gh_1", "o1", "<MsgId>7"])
def test_identifier_too_long_for_an_index_is_a_bad_push(field: str) -> None:
    assert refusal(text("").replace(field.encode(), field.encode() + b"1" * 3_000)) == "field"


def test_control_characters_are_marked_and_the_message_is_read() -> None:
    raw = text("<Content><![CDATA[a\x00\x08\x0b\x1d\x1f\ufffe\uffff\t\x7f\x85z]]></Content>")
    assert read(raw).content == "a" + "\ufffd" * 7 + "\t\x7f\x85z"


def test_attributes_are_ignored() -> None:
    assert read(text('<Content lang="zh">x</Content>')).content == "x"


def test_two_hundred_thousand_attributes_and_a_megabyte_of_text_are_read_clean() -> None:
    attributes = "".join(f" a{number}=''" for number in range(200_000))
    assert read(text(f"<Content{attributes}>x</Content>")).content == "x"
    assert read(text(f"<Content>{'字' * 350_000}</Content>")).content == "字" * 350_000


def test_declared_encoding_does_not_change_the_reading() -> None:
    declared = b"<?xml version='1.0' encoding='iso-8859-1'?>" + text("<Content>路灯</Content>")
    assert read(declared).content == "路灯"


def test_bounds_of_depth_and_number_are_where_they_are_said_to_be() -> None:
    assert leaves(b"<xml>" + b"<a>" * (MAX_DEPTH - 1) + b"</a>" * (MAX_DEPTH - 1) + b"</xml>")
    with pytest.raises(BadPush, match="层次"):
        leaves(b"<xml>" + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + b"</xml>")
    names = [f"<a{number}/>" for number in range(MAX_ELEMENTS)]
    assert len(leaves(f"<xml>{''.join(names[1:])}</xml>".encode())) == MAX_ELEMENTS - 1
    with pytest.raises(BadPush, match="过多"):
        leaves(f"<xml>{''.join(names)}</xml>".encode())


@given(xml=st.binary(max_size=200) | st.text(max_size=200).map(lambda inner: document(inner)))
def test_rubbish_raises_nothing_but_bad_push(xml: bytes) -> None:
    assert refusal(xml) in {"xml", "type", "field"}


def test_refusals_say_nothing_of_the_body() -> None:
    with pytest.raises(BadPush) as caught:
        read(text("<Content>秘密<b/></Content>"))
    assert "秘密" not in str(caught.value) + repr(caught.value)


# Dedup key


def test_delivery_repeated_has_the_same_key() -> None:
    assert dedup_key(read(text("<Content>x</Content>"))) == dedup_key(read(text("<Content>x</Content>")))


@pytest.mark.parametrize(
    ("field", "other"), [("gh_1", "gh_2"), ("o1", "o2"), ("1714112445", "1714112446"), ("<MsgId>7", "<MsgId>8")]
)
def test_messages_of_another_account_citizen_second_or_id_have_another_key(field: str, other: str) -> None:
    assert dedup_key(read(text(""))) != dedup_key(read(text("").replace(field.encode(), other.encode())))


def test_events_of_one_second_are_told_apart_by_event_key_and_template() -> None:
    popup = "<SubscribeMsgPopupEvent><List><TemplateId>{}</TemplateId></List></SubscribeMsgPopupEvent>"
    keys = [
        dedup_key(read(xml))
        for xml in (
            event("SCAN", "<EventKey>1</EventKey>"),
            event("SCAN", "<EventKey>2</EventKey>"),
            event("CLICK", "<EventKey>1</EventKey>"),
            event("TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID>"),
            event("TEMPLATESENDJOBFINISH", "<MsgID>2</MsgID>"),
            event("subscribe_msg_popup_event", popup.format("t1")),
            event("subscribe_msg_popup_event", popup.format("t2")),
        )
    ]
    assert len(set(keys)) == len(keys)


def test_event_has_one_key_whatever_the_case_of_its_name() -> None:
    assert dedup_key(read(event("SCAN", "<EventKey>a</EventKey>"))) == dedup_key(
        read(event("scan", "<EventKey>a</EventKey>"))
    )


def test_unknown_messages_without_an_id_are_told_apart_by_all_they_say() -> None:
    first, second = (read(document(f"<MsgType>odd</MsgType><Title>{title}</Title>")) for title in "ab")
    assert dedup_key(first) != dedup_key(second)


def test_parts_of_a_key_cannot_slip_into_one_another() -> None:
    one = read(event("SCAN", "<EventKey>a</EventKey><MsgID>b</MsgID>"))
    other = dataclasses.replace(one, event_key='a", "b', fields={})
    assert dedup_key(one) != dedup_key(other)


def test_key_is_short_whatever_was_sent() -> None:
    assert len(dedup_key(read(event("VIEW", f"<EventKey>{'u' * 100_000}</EventKey>")))) == 64


# Replies


def reply(content: str) -> Message:
    """The reply as WeChat's side reads it."""
    return read(text_reply(read(text("")), content, 1714112446).encode())


def test_reply_is_exactly_what_the_page_shows() -> None:
    assert text_reply(read(text("")), "已受理", 1714112446) == (
        "<xml><ToUserName><![CDATA[o1]]></ToUserName>\n<FromUserName><![CDATA[gh_1]]></FromUserName>\n"
        "<CreateTime>1714112446</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
        "<Content><![CDATA[已受理]]></Content>\n</xml>"
    )


@given(content=st.text(max_size=300))
def test_reply_says_the_text_without_its_control_characters(content: str) -> None:
    received = reply(content)
    assert (received.from_user, received.to_user) == ("gh_1", "o1")
    assert received.content == as_received("".join(c for c in content if as_received(c) != "\ufffd" or c == "\ufffd"))


def test_end_of_cdata_in_a_reply_stays_text() -> None:
    injected = "]]></Content><MsgType>image</MsgType><![CDATA["
    assert reply(injected).content == injected
    assert reply("]]]>]]>").content == "]]]>]]>"


def test_lone_surrogate_does_not_break_the_reply() -> None:
    assert reply("a\ud800b").content == "ab"


@pytest.mark.parametrize("content", ["a" * REPLY_BYTES, "字" * 666 + "ab", "😀" * 500], ids=["a", "字", "😀"])
def test_reply_of_two_thousand_bytes_is_whole(content: str) -> None:
    assert len(content.encode()) == REPLY_BYTES
    assert reply(content).content == content


@pytest.mark.parametrize("unit", ["a", "é", "字", "😀", "]]>"])
@pytest.mark.parametrize("shift", range(4))
def test_longer_reply_is_cut_between_characters_and_says_so(unit: str, shift: int) -> None:
    content = "x" * shift + unit * 3_000
    received = reply(content).content
    assert received is not None
    assert received.endswith("…")
    assert content.startswith(received[:-1])
    assert REPLY_BYTES - 4 < len(received.encode()) <= REPLY_BYTES
