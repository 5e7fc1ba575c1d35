"""Pages read as a browser reads them: elements with their attributes, links, and text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag

Attributes = list[tuple[str, str | None]]


@dataclass
class Page(HTMLParser):
    """`elements` are (name, attributes) in order; `text` is what a person sees."""

    source: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    @property
    def joined(self) -> str:
        """The text without any blanks, for words that the layout breaks."""
        return "".join("".join(self.pieces).split())

    @property
    def addresses(self) -> list[str]:
        """Everything a browser would fetch or follow, without fragments."""
        found = [a.get(name, "") for _, a in self.elements for name in ("href", "src", "action")]
        return [address for address in (urldefrag(one).url for one in found) if address]

    @property
    def kinds(self) -> set[tuple[str, frozenset[str]]]:
        """What sorts of elements are there, by name and the names of their attributes."""
        return {(tag, frozenset(attributes)) for tag, attributes in self.elements}


def follow(page: Page) -> list[str]:
    """The addresses of this site that a person can go to from here; telephone numbers are not among them."""
    return [address for address in page.addresses if address.startswith("/")]
