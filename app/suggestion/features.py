"""What a model sees of a text: its characters and pairs of characters. Training and prediction read alike."""

from app.domain.text import plain

READ = 2_000
"""Characters of a text that are read; all but the longest in a hundred are shorter."""


def own_title(title: str, text: str) -> str:
    """The title where it says something of its own; the beginning of the text, put there for a list, says nothing."""
    begun = title.strip().removesuffix("…")
    return "" if text.strip().startswith(begun) else title


def whole(title: str, text: str) -> str:
    """Title and text as one."""
    own = own_title(title, text)
    return f"{own}\n{text}" if own else text


def grams(text: str) -> list[str]:
    """Every character and every pair of neighbours, in half width and small letters, blanks left out."""
    read = "".join(plain(text[:READ]).casefold().split())
    return [*read, *(read[at : at + 2] for at in range(len(read) - 1))]
