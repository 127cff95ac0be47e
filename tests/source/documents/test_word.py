"""source.documents.word: text of DOCX, and zips that lie."""

from __future__ import annotations

import struct
import zipfile

import pytest
from benchmarks.documents import making

from flatwater.source.documents import serving, word


def request(path, **changes):
    base = serving.Request(str(path), "zip", 0, 0, 65_536, 1 << 20, 1 << 30, 1 << 20, 5.0, 1 << 30, "", "")
    return base._replace(**changes)


def text_of(path, **changes):
    events = list(word.events(request(path, **changes)))
    return "".join(event[3] for event in events if len(event) == 4), [event for event in events if len(event) == 3]


def run(text):
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(*parts, properties=""):
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{''.join(parts)}</w:p>"


LIST = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
CELL = "<w:tc>{}</w:tc>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p(run("One "), run("two.")) + p(run("Three")), "One two.\n\nThree"),
        (
            p(run("Head"), properties='<w:pStyle w:val="Heading1"/><w:tabs><w:tab w:pos="1"/></w:tabs>') + p(run("a")),
            "Head\n\na",
        ),
        (p("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>"), "a\tb\nc"),
        (p(run("x"), properties=LIST) + p(run("y"), properties=LIST), "- x\n\n- y"),
        (
            f"<w:tbl><w:tr>{CELL.format(p(run('a')))}{CELL.format(p(run('b')) + p(run('c')))}</w:tr><w:tr>{CELL.format(p(run('d')))}</w:tr></w:tbl>"
            + p(run("e")),
            "a\tb\nc\nd\n\ne",
        ),
        (
            p(
                "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>",
                run("kept"),
                "<w:ins>" + run("new") + "</w:ins>",
            ),
            "keptnew",
        ),
        (
            p("<w:moveFrom>", run("moved"), "</w:moveFrom>", run("a")) + p("<w:moveTo>", run("moved"), "</w:moveTo>"),
            "a\n\nmoved",
        ),
        (p("<w:del>", run("gone"), "</w:del>", run("kept")), "kept"),
        (p("<w:r><w:instrText>PAGE</w:instrText></w:r>", run("&lt;3 &#8364;")), "<3 €"),
        (
            '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>'
            + p(run("box"))
            + "</mc:Choice><mc:Fallback>"
            + p(run("box"))
            + "</mc:Fallback></mc:AlternateContent>",
            "box",
        ),
        ("", ""),
    ],
)
def test_what_a_reader_sees(tmp_path, body, text):
    """Paragraphs set apart, lists with dashes, tables with tabs; no deleted text, no field codes, no text box twice."""
    path = tmp_path / "a.docx"
    making.make_docx(path, body)
    assert text_of(path) == (text, [])


def test_notes_come_last_and_headers_never(tmp_path):
    """Footnotes and endnotes are text of the document; headers repeat what every page has."""
    path = tmp_path / "a.docx"
    making.make_docx(path, p(run("body")), endnotes=p(run("end")), footnotes=p(run("foot")), header1=p(run("head")))
    assert text_of(path)[0] == "body\n\nfoot\n\nend"


def test_it_goes_on_anywhere(tmp_path):
    """From the stop of any piece on, the pieces behind it come again."""
    path = tmp_path / "a.docx"
    making.make_docx(path, making.paragraphs(300))
    pieces = [event for event in word.events(request(path, piece_bytes=500)) if len(event) == 4]
    for number in range(0, len(pieces), 40):
        again = [
            event for event in word.events(request(path, piece_bytes=500, offset=pieces[number][2])) if len(event) == 4
        ]
        assert again == pieces[number + 1 :]


def test_a_bomb_is_cut(tmp_path):
    """A megabyte that unpacks to many: as much as the bound, and a word about it."""
    path = tmp_path / "a.docx"
    making.make_docx(path, (p(run("a" * 100_000)) for _ in range(400)))
    text, notes = text_of(path, expanded_bytes_max=5_000_000)
    assert 4_500_000 < len(text) < 5_200_000
    assert "expanded_bytes_max" in notes[0][2]


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)),
        '<!ENTITY j SYSTEM "passwd">',
    ],
)
def test_entities_are_refused(tmp_path, entity):
    """A billion laughs, or a file of the machine: no DOCX declares a document type."""
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", f"<!DOCTYPE x [{entity}]><x>&j;</x>")
    with pytest.raises(serving.Unreadable, match="document type"):
        text_of(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:200], "no end"),
        (lambda data: data.replace(b"word/document.xml", b"word/documint.xml"), "without a Word document"),
        (lambda data: data[:120] + b"\xff" * 60 + data[180:], "broken"),
        (
            lambda data: data[:-22] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_535, 65_535, 80 << 20, 0, 0),
            "lists 65,535",
        ),
    ],
)
def test_zips_that_lie(tmp_path, damage, reason):
    """Cut off, without a document, broken, or with a list of names that would not fit: said, not suffered."""
    path = tmp_path / "a.docx"
    making.make_docx(path, making.paragraphs(3))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(serving.Unreadable, match=reason):
        text_of(path)


def test_other_kinds_of_compression_are_refused(tmp_path):
    """LZMA and bzip2 unpack at once, whatever comes of it; no document uses them."""
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(serving.Unreadable, match="no document's are"):
        text_of(path)


def test_xml_that_ends_early(tmp_path):
    """The text before the break is given, then the reason."""
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "word/document.xml",
            "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>"
            + p(run("words ")) * 9_000,
        )
    events = word.events(request(path))
    assert next(event for event in events if len(event) == 4)[3].startswith("words ")
    with pytest.raises(serving.Unreadable, match=r"word/document.xml is broken"):
        list(events)


def test_an_encrypted_member_is_said(tmp_path):
    """A zip's own encryption is no error of the program."""
    path = tmp_path / "a.docx"
    making.make_docx(path, making.paragraphs(3))
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + place] |= 1
    path.write_bytes(data)
    with pytest.raises(serving.Unreadable, match="encrypted"):
        text_of(path)


def text_before(path, reason, error=serving.Unreadable):
    """What comes before the failure."""
    parts = []

    def read_all():
        for event in word.events(request(path)):
            parts.extend(event[3:])  # of pieces, the text

    with pytest.raises(error, match=reason):
        read_all()
    return "".join(parts)


def test_text_before_a_break_is_given_however_short(tmp_path):
    """XML that breaks off, notes that are none, a sum that is wrong: the text so far comes, then the reason."""
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        archive.writestr("word/document.xml", f"<w:document xmlns:w='{words}'>{p(run('good'))}<w:p><oops")
    assert text_before(path, r"document\.xml is broken") == "good"
    making.make_docx(path, p(run("good")))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/footnotes.xml", "<broken")
    assert text_before(path, r"footnotes\.xml is broken") == "good"
    making.make_docx(path, p(run("good" * 20_000)))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        crc = struct.pack("<L", archive.getinfo("word/document.xml").CRC)
    path.write_bytes(data.replace(crc, b"\1\2\3\4"))
    assert text_before(path, "Bad CRC-32").startswith("good" * 10_000)


def test_memory_that_ends_is_no_broken_xml(tmp_path):
    """libxml2 calls it an unknown error; here it is memory, so that the worker's limit is named."""
    from flatwater.source.documents import documents

    path = tmp_path / "a.docx"
    making.make_docx(path, [p(run("good")), '<w:p x="', *["a" * 1_000_000] * 60, '"/>'])
    found = documents(path, worker_limit="48 MiB")
    assert [piece.text for piece in found] == ["good"]
    assert [(problem.kind, "worker_limit" in problem.reason) for problem in found.report.problems] == [("cut", True)]
