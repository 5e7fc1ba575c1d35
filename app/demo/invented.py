"""People who can't exist: names that are plainly nobody's, and numbers that no subscriber can have."""

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_GIVEN_NAME = "演示"
"""“Demonstration”: with an ordinal behind it (王演示十七) it is plainly nobody's name."""
_ORDINALS = 40

PHONE_PREFIX = "142"
"""No subscriber can have it: China's numbering plan keeps 140–144 for 13-digit numbers of things, and 142 is given to
no carrier. Eleven digits, so what checks or masks mobile numbers takes it for one. The openings 10, 11 and 12 won't do:
they are services (10086, 110, 120, 12345), and a switch may connect a longer number that begins so."""


def phone_of(number: int) -> str:
    """The phone with those last eight digits."""
    return f"{PHONE_PREFIX}{number:08}"


def _numeral(number: int) -> str:
    """1 to 99 in Chinese."""
    tens, ones = divmod(number, 10)
    names = "零一二三四五六七八九"
    ten = ("" if tens == 1 else names[tens]) + "十" if tens else ""
    return ten + (names[ones] if ones else "")


NAMES = [f"{surname}{_GIVEN_NAME}{_numeral(n)}" for surname in _SURNAMES for n in range(1, _ORDINALS + 1)]
