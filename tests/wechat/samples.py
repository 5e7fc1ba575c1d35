"""Sample values that WeChat and WeCom publish, each with the page it stands on; and a body that carries one."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.domain.vocabulary import AccountMode
from app.wechat.crypto import Keys


def at(seconds: int) -> datetime:
    """The moment of a sample's timestamp."""
    return datetime.fromtimestamp(seconds, UTC)


def envelope(encrypt: str, fields: str = "<ToUserName><![CDATA[gh_1]]></ToUserName>") -> bytes:
    """The body of a push in safe mode; with all the `fields` of the message, of one in compatible mode."""
    return f"<xml>{fields}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sample of the encryption. `signature` is None where the page gives none; `random16` begins its plaintext."""

    keys: Keys
    timestamp: int
    nonce: str
    msg_signature: str
    encrypt: str
    clear: str
    random16: bytes
    signature: str | None = None


# 消息加解密说明, 接入指引: its samples are in JSON, the layer below is the same for XML.
OFFICIAL = Keys("wxba5fad812f8e6fb9", "AAAAA", "A" * 43, None, AccountMode.SAFE)

# 消息推送, 发起验证.
VERIFICATION = ("f464b24fc39322e44b38aa78f5edd27bd1441696", "1714036504", "1514711492", "4375120948345356249")

# 消息加解密说明, 消息解密方式为明文模式.
PLAIN_PUSH = ("899cf89e464efb63f54ddac96b0a0a235f53aa78", "1714037059", "486452656")
PLAIN_BODY = (
    b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714037059,'
    b'"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
)

# 消息加解密说明, 消息解密方式为安全模式: what is pushed.
SAFE_PUSH = Sealed(
    OFFICIAL,
    1714112445,
    "415670741",
    "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR"
    "8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km3"
    "2IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=",
    '{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
    '"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}',
    b"a8eedb185eb2fecf",
    "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
)

# 消息加解密说明, 消息解密方式为安全模式: what is answered.
SAFE_REPLY = Sealed(
    OFFICIAL,
    1713424427,
    "415670741",
    "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
    '{"demo_resp":"good luck"}',
    b"707722b803182950",
)

# cryptoDemo.zip, which 消息加解密说明 links to: a push in compatible mode.
COMPATIBLE_PUSH = Sealed(
    Keys("wx2c2769f8efd9abc2", "spamtest", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", None, AccountMode.COMPATIBLE),
    1409735669,
    "1320562132",
    "5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXp"
    "bUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlp"
    "Kn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD"
    "1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE=",
    "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n"
    "<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n"
    "<CreateTime>1409735668</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
    "<Content><![CDATA[abcdteT]]></Content>\n<MsgId>6054768590064713728</MsgId>\n</xml>",
    b"89465c840c5f116f",
    "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a",
)

# 企业微信 加解密库下载与返回码, the libraries' Sample: 对用户回复的消息解密. WeCom sends no plain signature.
WECOM_PUSH = Sealed(
    Keys("wx5823bf96d3bd56c7", "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", None, AccountMode.SAFE),
    1409659813,
    "1372623149",
    "477715d11cdb4164915debcba66cb864d751f3e6",
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q==",
    "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>\n"
    "<FromUserName><![CDATA[mycreate]]></FromUserName>\n"
    "<CreateTime>1409659813</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
    "<Content><![CDATA[hello]]></Content>\n<MsgId>4561255354251345929</MsgId>\n<AgentID>218</AgentID>\n</xml>",
    b"0960688932c47ef1",
)

# 企业微信 加解密库下载与返回码, the libraries' Sample: 验证回调URL. WeCom, unlike WeChat, encrypts its echostr.
WECOM_VERIFICATION = replace(
    WECOM_PUSH,
    timestamp=1409659589,
    nonce="263014780",
    msg_signature="5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    encrypt="P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    clear="1616140317555161061",
    random16=b"c41b64491c2468d0",
)

SEALED = {
    "safe push": SAFE_PUSH,
    "safe reply": SAFE_REPLY,
    "compatible push": COMPATIBLE_PUSH,
    "WeCom push": WECOM_PUSH,
    "WeCom verification": WECOM_VERIFICATION,
}
