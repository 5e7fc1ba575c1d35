"""Two independent implementations of WeChat's encryption, from npm, on the other side of the line.

They run in one long-lived Node (peers/peer.js); `make test` installs both. They are peers for good input only: neither
checks padding or appid (test_crypto_hostile.py has the bad input).
"""

import json
import random
import string
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from app.base.clock import machine
from app.domain.vocabulary import AccountMode
from app.schema.tickets import tickets
from app.wechat.crypto import Keys, Opened, Query, open_push, seal_reply
from tests.wechat.line import MATTER, OPENID, Line, Rows, number_in
from tests.wechat.samples import SEALED, Sealed, at, envelope

HOME = Path(__file__).parent / "peers"
NAMES = ("wechat-crypto", "@wecom/crypto")
MESSAGES = 120
LONGEST = 60_000
PIECES = (
    *(
        "路灯坏了",
        "榔梨街道黄兴大道",
        "㮾",
        "𠮷",
        "a",
        "7",
        "  ",
        "\u3000",
        "\t",
        "\n",
        "\r\n",
        "\u2028",
        "\x1d",
        "\x00",
    ),
    *("<b>", "&amp;", "&", '"', "'", "]]>", "<![CDATA[", "</xml>", "e\u0301", "\u200d", "/::)", "[微笑]"),
    *("👨‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇳", "👍🏽"),
)
HARD = MATTER + " 👨‍👩‍👧‍👦🏳️‍🌈🇨🇳\t<b>\"路灯\"</b> & '㮾𠮷' ]]> <![CDATA[x]]> /::)[微笑] 完"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer made of a message. `signature` covers no body, `msg_signature` the Encrypt."""

    encrypt: str
    message: str | None
    appid: str | None
    signature: str
    msg_signature: str


@dataclass(frozen=True, slots=True)
class Peer:
    """One of the packages."""

    name: str
    process: subprocess.Popen[str]

    def seal(self, keys: Keys, stamp: str, nonce: str, message: str) -> Answer:
        return self._asked(keys, stamp, nonce, {"message": message})

    def open(self, keys: Keys, stamp: str, nonce: str, encrypt: str) -> Answer:
        return self._asked(keys, stamp, nonce, {"encrypt": encrypt})

    def _asked(self, keys: Keys, stamp: str, nonce: str, what: dict[str, str]) -> Answer:
        known = {"peer": self.name, "token": keys.token, "key": keys.encoding_aes_key, "appid": keys.appid}
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({**known, "timestamp": stamp, "nonce": nonce, **what}) + "\n")
        stdin.flush()
        answered = json.loads(stdout.readline() or '{"error": "Node has ended"}')
        assert "error" not in answered, answered["error"]
        return Answer(*(answered.get(name) for name in Answer.__slots__))


def command(scripts: Path, home: Path) -> list[str]:
    """How Node is started with the peers; fails where something is missing, for who skips these would not notice."""
    node, installed = scripts / "node", home / "node_modules" / ".package-lock.json"
    for path in (node, installed):
        if not path.is_file():
            pytest.fail(f"{path} is missing: `make test` installs it", pytrace=False)
    # wechat-crypto still says `new Buffer`.
    return [str(node), "--no-deprecation", str(home / "peer.js")]


@pytest.fixture(scope="module")
def peers() -> Iterator[dict[str, Peer]]:
    started = command(Path(sysconfig.get_path("scripts")), HOME)
    with subprocess.Popen(
        started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        # Leaving closes its input, and it ends.
        yield {name: Peer(name, process) for name in NAMES}


@pytest.fixture(params=NAMES)
def peer(peers: dict[str, Peer], request: pytest.FixtureRequest) -> Peer:
    return peers[request.param]


def letters(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits, k=length))


def correspondence(seed: int) -> Iterator[tuple[Keys, str, str, str]]:
    """(keys, timestamp, nonce, text) of many messages: the shortest, the longest, and as many short as long ones."""
    chance = random.Random(seed)
    lengths = [0, 1, LONGEST, *(int(LONGEST ** chance.random()) for _ in range(MESSAGES - 3))]
    for length in lengths:
        token, key = letters(chance, chance.randint(3, 32)), letters(chance, 43)
        keys = Keys(f"wx{chance.getrandbits(64):016x}", token, key, None, AccountMode.SAFE)
        text = "".join(chance.choices(PIECES, k=length))[:length]
        yield keys, str(chance.randint(10**9, 2 * 10**9)), letters(chance, chance.randint(1, 20)), text


def fields_of(body: bytes) -> dict[str, str]:
    """Every field of a document, read by another parser than ours."""
    return {element.tag: element.text or "" for element in ElementTree.fromstring(body)}


def test_what_a_peer_seals_is_opened_byte_for_byte(peer: Peer) -> None:
    for keys, stamp, nonce, text in correspondence(1):
        sealed = peer.seal(keys, stamp, nonce, text)
        query = Query(sealed.signature, stamp, nonce, sealed.msg_signature, "aes")
        opened = open_push(keys, query, envelope(sealed.encrypt), at(int(stamp)))
        assert opened == Opened(text.encode(), keys.encoding_aes_key, True), len(text)


def test_what_is_sealed_a_peer_opens_byte_for_byte(peer: Peer) -> None:
    for keys, stamp, nonce, text in correspondence(2):
        # Not quite as it is, for nothing at all is never sealed.
        clear = f" {text}\n"
        opened = Opened(b"", keys.encoding_aes_key, True)
        fields = fields_of(seal_reply(keys, opened, clear, timestamp=int(stamp), nonce=nonce).encode())
        theirs = peer.open(keys, stamp, nonce, fields["Encrypt"])
        assert (theirs.message, theirs.appid) == (clear, keys.appid), len(text)
        assert (theirs.msg_signature, stamp, nonce) == (fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])


@pytest.mark.parametrize("name", sorted(SEALED))
def test_the_peers_agree_with_the_official_samples(peer: Peer, name: str) -> None:
    sample: Sealed = SEALED[name]
    theirs = peer.open(sample.keys, str(sample.timestamp), sample.nonce, sample.encrypt)
    assert (theirs.message, theirs.appid) == (sample.clear, sample.keys.appid)
    assert theirs.msg_signature == sample.msg_signature
    assert theirs.signature == sample.signature or sample.signature is None


@pytest.mark.parametrize("mode", [AccountMode.SAFE, AccountMode.COMPATIBLE])
async def test_a_peers_push_opens_a_ticket_and_both_peers_read_the_answer(
    peers: dict[str, Peer], peer: Peer, line: Callable[[AccountMode], Line], rows: Rows, mode: AccountMode
) -> None:
    account = line(mode)
    keys, stamp, nonce, clear = account.keys, str(int(machine().timestamp())), "n0nce", account.text(HARD)
    sealed = peer.seal(keys, stamp, nonce, clear)
    query = {"signature": sealed.signature, "timestamp": stamp, "nonce": nonce, "openid": OPENID}
    query |= {"encrypt_type": "aes", "msg_signature": sealed.msg_signature}
    whole = clear.removeprefix("<xml>").removesuffix("</xml>")
    answer = await account.post(query, envelope(sealed.encrypt, whole if mode is AccountMode.COMPATIBLE else ""))
    assert answer.status_code == 200, answer.text
    t = tickets.c
    ((number, description),) = await rows(select(t.number, t.description))
    assert description == HARD
    fields = fields_of(answer.content)
    for reader in peers.values():
        theirs = reader.open(keys, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
        assert (theirs.msg_signature, theirs.appid) == (fields["MsgSignature"], keys.appid)
        reply = fields_of((theirs.message or "").encode())
        assert (reply["ToUserName"], reply["FromUserName"]) == (OPENID, account.original_id)
        assert number_in(reply["Content"]) == number


# What is installed


@pytest.mark.parametrize("missing", ["node", "node_modules/.package-lock.json"])
def test_without_node_or_the_packages_the_tests_fail_and_say_what_installs_them(tmp_path: Path, missing: str) -> None:
    for name in {"node", "node_modules/.package-lock.json"} - {missing}:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(pytest.fail.Exception, match="`make test` installs it"):
        command(tmp_path, tmp_path)


def test_the_lock_pins_the_peers_by_hash_and_names_no_registry() -> None:
    text = (HOME / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    wanted = packages.pop("")["dependencies"]
    assert wanted == json.loads((HOME / "package.json").read_text("utf-8"))["dependencies"]
    assert {name.removeprefix("node_modules/"): found["version"] for name, found in packages.items()} == wanted
    assert all(found["integrity"].startswith("sha512-") for found in packages.values())
    assert "resolved" not in text
    assert "://" not in text
    # Without this the next `npm install` would write the addresses back.
    assert "omit-lockfile-registry-resolved=true" in (HOME / ".npmrc").read_text("utf-8").splitlines()


def test_both_packages_are_peers() -> None:
    assert set(json.loads((HOME / "package.json").read_text("utf-8"))["dependencies"]) == set(NAMES)
