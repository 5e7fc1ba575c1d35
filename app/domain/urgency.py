"""Which texts are urgent (domain.md, 2): danger to life, now; water, power or gas cut off. The words are data.

What people write to an office is nearly always about yesterday, about what might happen, or about what they fear: a
word counts only where its clause does not say so, and most words only in a short cry, or where the sentence says that
it happens now. Of 4,215 real messages, letters all of them, three are read as danger; bench/urgency_on_messages.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.county import Category, County, Sign, UrgentWord
from app.domain.text import Words, plain, words_of

CALLS: Mapping[str, str] = {"110": "公安", "119": "消防", "120": "急救", "122": "交通事故"}
CRY = 60
"""Characters of a text that is a cry as a whole: whoever is in danger writes no more."""
LETTER = 300
"""Characters from which on a text is a letter: in it only words count that are enough by themselves."""
OPENING = 100
"""Characters in which a cut-off must be named, where the word is not the category's own: further on it is a side
remark."""
_BEFORE, _AFTER = 24, 10
"""Characters of the clause that are looked at on either side of a word."""

_SENTENCE = re.compile(r"[。！？!?；;…\n\r]")
_CLAUSE = re.compile(r"[。！？!?；;…\n\r，,、：:（）()\s]")
# Before a word, in its clause: it did not happen, or is feared.
_NOT = re.compile(
    r"没(?!人|有?(?:任何|接到|收到|提前|事先|一点)*通知|打招呼)|未(?!接|经|提前|事先|通知)|无(?!人|故|端|理|缘|任?何?通知)|不(?=$|会|是|至于|能|得|致|属)|并非|防|避免|以免|免得|杜绝|禁止|严禁|排除|存在"
    r"|如果|如遇|假如|假设|倘若|若|要是|万一|一旦|真(?=$)|凡|只要|遇到|直到|等到|非得|难道"
    r"|可能|容易|极易|易(?=$|引|发|造|导)|随时|会(?=$|引|发|造|导|有|出|把|被)|将|怕|恐|担心|险些|差点|几乎"
)
# It happened once, or elsewhere, or is a figure of speech.
_ONCE = re.compile(
    r"曾|以前|之前|上次|上回|上个?月|上周|前年|去年|今年|往年|历年|每年|那年|当年|早几年|前几[天年个]|年前"
    r"|[0-9][年月号日]|[0-9一二三四五六七八九十几两][次起]"
    r"|多次|经常|频繁|时常|常常|常有|屡|时有|多发|历史|据说|听说|有人说|新闻|报道|全国|各地"
    r"|像|好比|等于|形同|所谓|名义|涉嫌|指控|告|处罚|判"
)
_THREATENED = re.compile(r"威胁|胁迫|以(?=$)|否则|就(?=要|会)|要(?=$)|多次强调")
_SO_THEY_SAY = re.compile(
    r"^(?:.{0,4}(?:隐患|风险|可能|概率|的话|就麻烦|不堪|报警器|探测|检测|警示|演练|知识|宣传|教育|保险|赔|鉴定|去世|身亡|死亡"
    r"|致死|身故|致残|责任|原因|认定|威胁)|的?(?:危险|后果)|了?(?:事件|事故|案|之?后(?!备)|以后|时(?!间)|[0-9一二三四五六七八九十几两]+[次回]))"
)
# Of what is named by a word that is not enough by itself.
_ASKED_OF = re.compile(r"^(?:了?的(?!时)|.{0,3}(?:怎么(?!办)|如何|怎样|哪里|路段|路面|补助|救助|补偿|住院|手续|电话))")
_NOW = re.compile(
    r"正在|正(?=着|起|烧|打|往)|此刻|眼下|刚刚|刚才|刚(?=有|被|从|摔|撞|晕|掉|起|着)|快来|快派|快点|速来|速派"
    r"|赶紧|赶快|尽快来|马上来|马上派|火急|紧急|来人|还没出来|没出来|出不来|出不去|联系不上"
    r"|没醒|不醒|没反应|火很大|火势|火好大|浓烟|好多血|很多血|都是血|流血|还在烧|还在打|还在里面|困在里面|今天|今晚|今早"
)


@dataclass(frozen=True, slots=True)
class Urgency:
    """What a text tells of: danger to life, or else a cut-off. `calls`: whom to call, the fitting number first."""

    sign: Sign
    words: tuple[str, ...]
    calls: tuple[str, ...] = ()

    @property
    def danger(self) -> bool:
        return self.sign is Sign.DANGER


@dataclass(frozen=True, slots=True)
class UrgencyIndex:
    """The words of one county; `build` makes it, once per edition."""

    meanings: Mapping[str, tuple[UrgentWord, ...]]
    words: Words

    def read(self, text: str, category: Category | None) -> Urgency | None:
        """What is urgent in title and text together, None where nothing is; danger comes before a cut-off."""
        told = plain(text).strip()
        found: dict[Sign, dict[str, UrgentWord]] = {}
        for at, word in self._named(told, category):
            if _COUNTS[word.sign](told, at, word):
                found.setdefault(word.sign, {})[word.text] = word
        for sign in (Sign.DANGER, Sign.CUTOFF):
            if words := found.get(sign):
                calls = dict.fromkeys(call for word in words.values() for call in word.calls)
                return Urgency(sign, tuple(words), tuple(calls))
        return None

    def _named(self, text: str, category: Category | None) -> Iterator[tuple[int, UrgentWord]]:
        """The words that count for the category: leftmost, longest, never overlapping."""
        end = 0
        for at, names in self.words.occurrences(text):
            if at < end:
                continue
            meant = (self._meant(name, category) for name in names)
            word = next((one for one in meant if one is not None), None)
            if word is not None:
                end = at + len(word.text)
                yield at, word

    def _meant(self, name: str, category: Category | None) -> UrgentWord | None:
        own = () if category is None else (category.id, category.parent_id)
        rows = self.meanings[name]
        special = next((row for row in rows if row.category_id is not None and row.category_id in own), None)
        return special or next((row for row in rows if row.category_id is None), None)


def build(county: County) -> UrgencyIndex:
    """Reads the county's urgent words."""
    meanings: dict[str, tuple[UrgentWord, ...]] = {}
    for word in county.urgent_words:
        name = plain(word.text)
        meanings[name] = (*meanings.get(name, ()), word)
    return UrgencyIndex(meanings, words_of(meanings))


def _danger(text: str, at: int, word: UrgentWord) -> bool:
    before, after = _beside(text, at, word)
    if _NOT.search(before) or _ONCE.search(before) or _SO_THEY_SAY.search(after):
        return False
    if word.alone:
        return True
    if _ASKED_OF.search(after):
        return False
    return len(text) <= CRY or (len(text) < LETTER and _NOW.search(_sentence(text, at)) is not None)


def _cut_off(text: str, at: int, word: UrgentWord) -> bool:
    before, after = _beside(text, at, word)
    if _NOT.search(before) or _THREATENED.search(before) or _SO_THEY_SAY.search(after):
        return False
    return at < OPENING or word.category_id is not None


def _harmless(text: str, at: int, word: UrgentWord) -> bool:
    return False


_COUNTS = {Sign.DANGER: _danger, Sign.CUTOFF: _cut_off, Sign.HARMLESS: _harmless}


def _beside(text: str, at: int, word: UrgentWord) -> tuple[str, str]:
    """What the clause says before and after the word."""
    end = at + len(plain(word.text))
    before, after = text[max(0, at - _BEFORE) : at], text[end : end + _AFTER]
    return _CLAUSE.split(before)[-1], _CLAUSE.split(after, maxsplit=1)[0]


def _sentence(text: str, at: int) -> str:
    start = max((end.end() for end in _SENTENCE.finditer(text, 0, at)), default=0)
    stop = _SENTENCE.search(text, at)
    return text[start : stop.start() if stop else len(text)]
