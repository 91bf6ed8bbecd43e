"""The words of input strings: file names and extension specifications; no file is looked at.

    words     = word { "," word }
    word      = name [ "[" extension "]" | "{" element { "," element } "}" ]
    extension = number | text [ "," number ] | "(" text "," number ")"
    element   = number | text | "(" text [ "," ( number | "*" ) ] ")"

Names and texts may be in single or double quotes, which keep blanks and the characters ``, [ ] { }``. Square brackets
that the name goes on after, as in ``img[0-9]_flt.fits``, are a wildcard's; ``${NAME}`` is a variable.
"""

import re
from dataclasses import dataclass

from skymatch_nb.errors import InputError

_NUMBER = re.compile(r"\s*(\d{1,9})(?!\w)\s*")
_TEXT = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([^\s,()\[\]{}'"*]+))\s*""")
_SIGNED = re.compile(r"[+-]\d+")
_CHARACTER_CLASS = re.compile(r"""(?:\[[^\[\],{}'"]+\])+(?=[^\s,\[\]{}])""")
_BRACED = re.compile(r"\{[A-Za-z_]\w*\}")
_SPECIAL = re.compile(r"""[,\[\]{}'"]""")


@dataclass(frozen=True)
class Extension:
    """One extension: by ``number``, or by ``name`` (upper case) and ``version``, None for every version."""

    number: int | None = None
    name: str = ""
    version: int | None = 1

    def __str__(self) -> str:
        if self.number is not None:
            return str(self.number)
        return f"{self.name},{'*' if self.version is None else self.version}"


@dataclass(frozen=True)
class Word:
    """A file name as written, and what extensions were asked of it; ``column`` counts from 1.

    ``quoted`` tells whether any of it was in quotes.
    """

    name: str
    quoted: bool
    extensions: tuple[Extension, ...]
    column: int


class _Scanner:
    """A place in a text, and ways to go on from it."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.at = start

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def skip_blanks(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def expect(self, character: str) -> None:
        self.skip_blanks()
        if self.peek() != character:
            found = repr(self.peek()) if self.peek() else "the end of the text"
            raise self.error(f"expected {character!r}, found {found}")
        self.at += 1

    def error(self, message: str, at: int | None = None) -> InputError:
        return InputError(f"column {(self.at if at is None else at) + 1}: {message}")


def parse_words(text: str, start: int = 0) -> list[Word]:
    """Words of a comma-separated text, from a position on; a word may be empty (its name is "").

    Raises
    ------
    InputError
        Where the text does not follow the grammar; it begins with the column, counted from 1.
    """
    scanner = _Scanner(text, start)
    words = [_word(scanner)]
    while scanner.peek() == ",":
        scanner.at += 1
        words.append(_word(scanner))
    return words


def _word(scanner: _Scanner) -> Word:
    scanner.skip_blanks()
    start = scanner.at
    name, quoted = _name(scanner)
    extensions: tuple[Extension, ...] = ()
    if scanner.peek() in ("[", "{"):
        if not name:
            raise scanner.error("an extension specification without a file name")
        extensions = _one(scanner) if scanner.peek() == "[" else _several(scanner)
        scanner.skip_blanks()
    if scanner.peek() not in ("", ","):
        raise scanner.error(
            f"unexpected {scanner.peek()!r}; names with any of , [ ] {{ }} must be in quotes, and an extension "
            "specification must come last"
        )
    return Word(name, quoted, extensions, start + 1)


def _name(scanner: _Scanner) -> tuple[str, bool]:
    pieces: list[str] = []
    quoted, kept = False, 0  # how many pieces keep their blanks
    while scanner.peek() not in ("", ",", "]", "}"):
        quote = scanner.peek()
        if quote == "{":
            braced = scanner.take(_BRACED) if pieces and pieces[-1].endswith("$") else None
            if braced is None:
                break
            pieces.append(braced[0])
            continue
        if quote == "[":
            inner = scanner.take(_CHARACTER_CLASS)
            if inner is None:
                break
            pieces.append(inner[0])
            continue
        if quote in ("'", '"'):
            end = scanner.text.find(quote, scanner.at + 1)
            if end < 0:
                raise scanner.error("a quotation mark without its partner")
            pieces.append(scanner.text[scanner.at + 1 : end])
            scanner.at, quoted = end + 1, True
            kept = len(pieces)
            continue
        found = _SPECIAL.search(scanner.text, scanner.at)
        end = found.start() if found else len(scanner.text)
        pieces.append(scanner.text[scanner.at : end])
        scanner.at = end
    return "".join(pieces[:kept]) + "".join(pieces[kept:]).rstrip(), quoted


def _number(scanner: _Scanner) -> int | None:
    found = scanner.take(_NUMBER)
    return int(found[1]) if found else None


def _text(scanner: _Scanner) -> str:
    start = scanner.at
    found = scanner.take(_TEXT)
    text = next((group for group in found.groups() if group is not None), "").strip() if found else ""
    if not text:
        raise scanner.error("expected an extension's number or name", start)
    if found and found[3] and _SIGNED.fullmatch(text):
        raise scanner.error(f"no extension has the number {text}: they count from 0, the primary image", start)
    if text.isascii() and text.isdigit():
        raise scanner.error(f"no extension has the number {text}", start)
    return text.upper()


def _version(scanner: _Scanner) -> int:
    number = _number(scanner)
    if number is None:
        raise scanner.error("expected an extension's version; every version, '*', needs curly brackets: {('sci',*)}")
    return number


def _one(scanner: _Scanner) -> tuple[Extension, ...]:
    scanner.at += 1
    number = _number(scanner)
    if number is not None:
        extension = Extension(number=number)
    else:
        scanner.skip_blanks()
        bracketed = scanner.peek() == "("
        scanner.at += bracketed
        name, version = _text(scanner), 1
        if scanner.peek() == ",":
            scanner.at += 1
            version = _version(scanner)
        if bracketed:
            scanner.expect(")")
        extension = Extension(name=name, version=version)
    scanner.expect("]")
    return (extension,)


def _several(scanner: _Scanner) -> tuple[Extension, ...]:
    scanner.at += 1
    extensions = [_element(scanner)]
    while scanner.peek() == ",":
        scanner.at += 1
        extensions.append(_element(scanner))
    scanner.expect("}")
    return tuple(dict.fromkeys(extensions))


def _element(scanner: _Scanner) -> Extension:
    number = _number(scanner)
    if number is not None:
        return Extension(number=number)
    scanner.skip_blanks()
    if scanner.peek() != "(":
        return Extension(name=_text(scanner), version=None)
    scanner.at += 1
    name = _text(scanner)
    version: int | None = None
    if scanner.peek() == ",":
        scanner.at += 1
        scanner.skip_blanks()
        if scanner.peek() == "*":
            scanner.at += 1
        else:
            version = _version(scanner)
    scanner.expect(")")
    scanner.skip_blanks()
    return Extension(name=name, version=version)
