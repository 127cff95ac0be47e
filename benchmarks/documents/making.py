"""Documents of any size, made of nothing but a number: text PDFs, DOCX, HTML. The same each time.

A page of text has about 3.6 KB by default, compressed as most PDFs are. Pages of one document share few words, so that nothing
that depends on the text is flattered. `python -m benchmarks.documents.making FOLDER FILES PAGES` makes a folder of PDFs.
"""

from __future__ import annotations

import random
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE_CHARACTERS = 3_600
_CHANCE = random.Random(1)
WORDS = [
    "".join(_CHANCE.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(_CHANCE.randrange(2, 10))) for _ in range(2_000)
]


def lines(seed: int, characters: int) -> Iterator[str]:
    """Lines of words, `characters` or a little more in all."""
    chance = random.Random(seed)
    written = 0
    while written < characters:
        line = " ".join(chance.choices(WORDS, k=13))
        written += len(line) + 1
        yield line


def page_stream(page: int, characters: int = PAGE_CHARACTERS) -> bytes:
    """What a PDF's page draws: the number of the page, and lines of words."""
    text = [f"page {page}", *lines(page, characters)]
    return b"BT /F1 9 Tf 11 TL 40 800 Td\n" + b"".join(b"(%s) Tj T*\n" % line.encode() for line in text) + b"ET"


class PdfWriter:
    """A PDF, object by object.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path | str) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - closed by `close`
        self._offsets: dict[int, int] = {}
        self._last = 4
        self._pages: list[int] = []
        self._file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self.put(1, b"<</Type/Catalog/Pages 2 0 R>>")
        self.put(3, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
        self.put(4, b"<</Font<</F1 3 0 R>>>>")  # shared by all pages

    def put(self, number: int, body: bytes) -> None:
        """An object."""
        self._offsets[number] = self._file.tell()
        self._last = max(self._last, number)
        self._file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def free(self) -> int:
        """A number that no object has."""
        return self._last + 1

    def stream(self, data: bytes, more: bytes = b"") -> int:
        """A stream as it is; its number."""
        number = self.free()
        self.put(number, b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), more, data))
        return number

    def hole(self, size: int) -> int:
        """A stream of so many zeros that take no room on the disk; its number."""
        number = self._last = self.free()
        self._offsets[number] = self._file.tell()
        self._file.write(b"%d 0 obj\n<</Length %d>>stream\n" % (number, size))
        self._file.seek(size, 1)
        self._file.write(b"\nendstream\nendobj\n")
        return number

    def page(self, content: bytes, *, compress: bool = True, more: bytes = b"") -> int:
        """A page that draws `content`; its object's number."""
        stream = self.stream(zlib.compress(content), b"/Filter/FlateDecode") if compress else self.stream(content)
        return self.page_of(stream, more)

    def page_of(self, stream: int, more: bytes = b"") -> int:
        """A page that draws what is in the stream of that number."""
        number = self.free()
        fonts = b"/Resources 4 0 R"
        self.put(
            number, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s/Contents %d 0 R%s>>" % (fonts, stream, more)
        )
        self._pages.append(number)
        return number

    def close(self, trailer: bytes = b"") -> None:
        """The list of pages, the table of objects, the end."""
        kids = b" ".join(b"%d 0 R" % number for number in self._pages)
        self.put(2, b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(self._pages), kids))
        start = self._file.tell()
        last = self._last
        self._file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (last + 1))
        for number in range(1, last + 1):
            at = self._offsets.get(number)
            self._file.write(b"0000000000 00000 f \n" if at is None else b"%010d 00000 n \n" % at)
        self._file.write(b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (last + 1, trailer, start))
        self._file.close()


def make_pdf(path: Path | str, pages: int, characters: int = PAGE_CHARACTERS) -> None:
    """A PDF of so many pages of text."""
    writer = PdfWriter(path)
    for page in range(1, pages + 1):
        writer.page(page_stream(page, characters))
    writer.close()


def make_docx(path: Path | str, body: Iterable[str] | str, **members: str) -> None:
    """A DOCX with that body (XML of paragraphs), and other members such as `footnotes`."""
    words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as file:
            file.write(f'<?xml version="1.0"?><w:document xmlns:w="{words}"><w:body>'.encode())
            for part in [body] if isinstance(body, str) else body:
                file.write(part.encode())
            file.write(b"</w:body></w:document>")
        for name, text in members.items():
            archive.writestr(f"word/{name}.xml", f'<w:{name} xmlns:w="{words}">{text}</w:{name}>')


def paragraphs(count: int, characters: int = 400) -> Iterator[str]:
    """Paragraphs of a DOCX."""
    for number in range(count):
        text = " ".join(lines(number, characters))
        yield f'<w:p><w:pPr><w:pStyle w:val="Normal"/></w:pPr><w:r><w:t xml:space="preserve">{number} {text}</w:t></w:r></w:p>'


def make_html(path: Path | str, count: int, characters: int = 400) -> None:
    """HTML with so many paragraphs, each with some markup in it."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("<!DOCTYPE html><html><head><meta charset=utf-8><title>Made</title></head><body>\n")
        for number in range(count):
            text = "</b> <a href='x'>".join(" ".join(lines(number, characters)).split(" ", 3)).replace(
                "</b>", "<b>x</b>", 1
            )
            file.write(f"<div class='c'><h2>{number}</h2><p>{text}</p></div>\n")
        file.write("</body></html>\n")


def make_encrypted_pdf(path: Path | str, password: str) -> None:
    """One page, encrypted by the standard handler of PDF 1.4 (RC4, 40 bits; ISO 32000-1, 7.6.3)."""
    import hashlib

    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded = (password.encode("latin-1") + padding)[:32]
    identity, rights = b"0123456789abcdef", b"\xfc\xff\xff\xff"
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + rights + identity).digest()[:5]
    user = _rc4(key, padding)
    writer = PdfWriter(path)
    number = writer.free()
    own_key = hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
    stream = writer.stream(_rc4(own_key, b"BT /F1 9 Tf 11 TL 40 800 Td (page 1) Tj T* (encrypted words) Tj ET"))
    assert stream == number
    writer.page_of(stream)
    encrypt = writer.free()
    writer.put(encrypt, b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (owner.hex().encode(), user.hex().encode()))
    writer.close(b"/Encrypt %d 0 R/ID[<%s><%s>]" % (encrypt, identity.hex().encode(), identity.hex().encode()))


def _rc4(key: bytes, data: bytes) -> bytes:
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def make_pdfs(folder: Path | str, files: int, pages: int) -> None:
    """PDFs of so many pages each, no two pages alike."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(files):
        writer = PdfWriter(Path(folder, f"report{number:04}.pdf"))
        for page in range(pages):
            writer.page(page_stream(pages * number + page))
        writer.close()


if __name__ == "__main__":
    make_pdfs(sys.argv[1], *map(int, sys.argv[2:4]))
