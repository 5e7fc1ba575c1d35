"""Invented labelled texts of the demo's categories, some of which the keyword table does not know."""

from collections.abc import Iterator

PLACES = ("开元路", "东八路", "漓湘路", "板仓路", "望仙路", "北斗路", "螺丝塘路", "盼盼路", "凉塘路", "特立路")
SAID = {
    "C0105": ("{}晚上黑咕隆咚什么都看不见", "{}一到夜里就伸手不见五指", "{}灯泡坏了没人换"),
    "C0103": ("{}桶子满了好几天没人来收", "{}臭烘烘的一堆东西没人拖走", "{}保洁好久没来扫地"),
    "C0501": ("{}楼下唱歌唱到半夜睡不着", "{}音响声音太大吵得头疼", "{}夜里吵闹扰民"),
    "C0401": ("{}水龙头流出来的是黄水", "{}水压太小洗不了澡", "{}自来水有怪味"),
}
"""Category → three ways of saying it, with a place; most hold no keyword of the table."""


def labelled() -> Iterator[tuple[str, str]]:
    """120 (text, category code)."""
    for code, texts in SAID.items():
        for text in texts:
            for place in PLACES:
                yield text.format(place), code
