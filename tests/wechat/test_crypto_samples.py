"""The official samples (消息推送) and the vendor's crypto demo, reproduced byte for byte."""

import dataclasses
from datetime import UTC, datetime

from app.domain.vocabulary import AccountMode
from app.wechat.crypto import Keys, Opened, Query, open_push, open_reply, seal_reply, verify_url

OFFICIAL = Keys("wxba5fad812f8e6fb9", "AAAAA", "A" * 43, None, AccountMode.SAFE)
OFFICIAL_PUSH = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR"
    "8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km3"
    "2IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
OFFICIAL_CLEAR = (
    '{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
    '"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
)
SECOND = Keys(
    "wx2c2769f8efd9abc2", "spamtest", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", None, AccountMode.COMPATIBLE
)
SECOND_PUSH = (
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXp"
    "bUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlp"
    "Kn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD"
    "1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
)
SECOND_CLEAR = (
    "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n"
    "<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n"
    "<CreateTime>1409735668</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
    "<Content><![CDATA[abcdteT]]></Content>\n<MsgId>6054768590064713728</MsgId>\n</xml>"
)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def envelope(encrypt: str) -> bytes:
    return f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()


def test_official_verification_sample_is_answered_with_its_echostr() -> None:
    query = Query("f464b24fc39322e44b38aa78f5edd27bd1441696", "1714036504", "1514711492", echostr="4375120948345356249")
    assert verify_url(OFFICIAL, query, at(1714036504)) == "4375120948345356249"


def test_official_plain_sample_passes() -> None:
    query = Query("899cf89e464efb63f54ddac96b0a0a235f53aa78", "1714037059", "486452656")
    plain = dataclasses.replace(OFFICIAL, mode=AccountMode.PLAIN)
    assert open_push(plain, query, b"<xml/>", at(1714037059)) == Opened(b"<xml/>", None, False)


def test_official_safe_sample_is_opened_byte_for_byte() -> None:
    query = Query(
        "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
        "1714112445",
        "415670741",
        "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
        "aes",
    )
    opened = open_push(OFFICIAL, query, envelope(OFFICIAL_PUSH), at(1714112445))
    assert opened == Opened(OFFICIAL_CLEAR.encode(), "A" * 43, True)


def test_official_reply_sample_is_sealed_byte_for_byte() -> None:
    opened = Opened(b"", "A" * 43, True)
    sealed = seal_reply(
        OFFICIAL,
        opened,
        '{"demo_resp":"good luck"}',
        timestamp=1713424427,
        nonce="415670741",
        random16=b"707722b803182950",
    )
    assert sealed == (
        "<xml><Encrypt><![CDATA[ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==]]>"
        "</Encrypt><MsgSignature><![CDATA[1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1]]></MsgSignature>"
        "<TimeStamp>1713424427</TimeStamp><Nonce><![CDATA[415670741]]></Nonce></xml>"
    )
    assert open_reply(OFFICIAL, sealed.encode()) == '{"demo_resp":"good luck"}'


def test_second_vector_in_compatible_mode_is_opened_byte_for_byte() -> None:
    query = Query(
        "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a",
        "1409735669",
        "1320562132",
        "5d197aaffba7e9b25a30732f161a50dee96bd5fa",
        "aes",
    )
    body = SECOND_CLEAR.replace("abcdteT", "another text").replace(
        "</xml>", f"<Encrypt><![CDATA[{SECOND_PUSH}]]></Encrypt></xml>"
    )
    opened = open_push(SECOND, query, body.encode(), at(1409735669))
    assert opened == Opened(SECOND_CLEAR.encode(), SECOND.encoding_aes_key, True)
