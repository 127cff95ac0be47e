"""source.documents.reader: documents as a stream of pieces, whatever is wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import json
import os
import pickle
import threading

import pytest
from benchmarks.documents import making

import flatwater as fw
from flatwater import errors
from flatwater.source.documents import Documents, documents, reader

LIMIT = "96 MiB"


def breaks(pieces):
    for _ in pieces:
        raise ZeroDivisionError


OTHERS = set()  # children that this process had before: servers of other tests


@pytest.fixture(autouse=True)
def others():
    """What is there before a test is not the test's."""
    OTHERS.clear()
    OTHERS.update(children())


def children():
    found = set()
    for task in os.listdir("/proc/self/task"):
        with (
            contextlib.suppress(FileNotFoundError, ProcessLookupError),  # a thread that has ended meanwhile
            open(f"/proc/self/task/{task}/children") as file,
        ):
            found |= set(file.read().split())
    return found - OTHERS


@pytest.fixture
def mixed(write, tmp_path):
    """A document of each kind, and some that are none."""
    write("a.txt", "one two three\n\nfour five")
    write("b.md", "# Head\n\nwords")
    write("c/d.html", "<title>T</title><p>para")
    making.make_docx(tmp_path / "c" / "e.docx", making.paragraphs(2, 30))
    making.make_pdf(tmp_path / "f.pdf", 3, 60)
    write("g.bin", bytes(range(256)))
    write("h.pdf", b"%PDF-1.7 nothing else")
    write("i.txt", "grün".encode("cp1252"))
    os.symlink("nowhere", tmp_path / "j.txt")
    os.mkfifo(tmp_path / "k.txt")
    write("l.zip", b"PK\x05\x06" + bytes(18))
    write("m.txt")
    return tmp_path


def test_all_kinds_in_order(mixed):
    """Each document's pieces, sorted by path; what is none is reported with the reason, and the rest comes."""
    with documents(mixed, worker_limit=LIMIT) as found:
        names = [(piece.source[len(str(mixed)) + 1 :], piece.page) for piece in found]
    assert names == [
        ("a.txt", 0), ("b.md", 0), ("c/d.html", 0), ("c/e.docx", 0), ("f.pdf", 1), ("f.pdf", 2), ("f.pdf", 3), ("i.txt", 0),
    ]  # fmt: skip
    reasons = {problem.source[len(str(mixed)) + 1 :]: problem.reason for problem in found.report.problems}
    assert reasons == {
        "g.bin": "it is no text, and no document of a known kind",
        "h.pdf": "it is no PDF, or is broken beyond repair",
        "i.txt": "it has no valid UTF-8; read as Windows-1252",
        "j.txt": "it cannot be opened: No such file or directory",
        "k.txt": "it is no regular file",
        "l.zip": "it is a zip archive without a Word document in it",
    }
    assert (found.report.skipped, found.report.guessed, found.report.pieces) == (5, 1, 8)
    assert not children()


def test_it_stops_at_the_first_problem_where_asked(mixed):
    """on_error="raise": the document and the reason; a guess alone does not stop it."""
    with pytest.raises(reader.DocumentError, match="no text") as caught:
        list(documents(mixed / "*", on_error="raise", worker_limit=LIMIT))
    assert caught.value.source == str(mixed / "g.bin")
    assert list(documents(mixed / "i.txt", on_error="raise"))


def test_from_any_piece_on_the_rest_comes(mixed):
    """A reader that is given the position of another gives what that one did not, after JSON too; kinds do not matter."""
    whole = list(documents(mixed, piece_bytes=16, worker_limit=LIMIT))
    before = documents(mixed, piece_bytes=16, worker_limit=LIMIT)
    assert before.position is None
    places = [json.loads(json.dumps(before.position)) for _ in before]
    for number in [0, len(whole) // 2, len(whole) - 2]:
        again = documents(mixed, piece_bytes=16, worker_limit=LIMIT, resume=places[number])
        assert list(again) == whole[number + 1 :]
    assert list(documents(mixed, worker_limit=LIMIT, resume=places[-1])) == []


def test_a_loop_that_is_left_goes_on(mixed):
    """A second loop over the same reader begins where the first one stopped; after the last piece there is none."""
    whole = list(documents(mixed, worker_limit=LIMIT))
    found = documents(mixed, worker_limit=LIMIT)
    first = []
    for piece in found:
        first.append(piece)
        if len(first) == 6:
            break
    assert not children()
    assert first + list(found) == whole
    assert list(found) == []


def test_a_document_that_changed_is_read_again(write):
    """A position in what is not there any more is of no use: from its beginning, and that is said."""
    path = write("a.txt", "some words " * 100)
    found = documents(path, piece_bytes=100)
    next(iter(found))
    write("a.txt", "other words " * 100)
    again = documents(path, piece_bytes=100, resume=found.position)
    assert next(iter(again)).start == 0
    assert again.report.again == 1


def test_nothing_is_left_however_it_ends(mixed):
    """A break, an exception, a close, being dropped: no process, no byte of the budget, no thread."""
    threads = threading.active_count()
    budget = fw.Budget("256 MiB")
    with budget:
        for _ in documents(mixed / "f.pdf", worker_limit=LIMIT):
            assert budget.held > 96 << 20
            break
        assert (budget.held, children()) == (0, set())
        with pytest.raises(ZeroDivisionError):
            breaks(documents(mixed / "f.pdf", worker_limit=LIMIT))
        gc.collect()
        assert (budget.held, children()) == (0, set())
        found = documents(mixed / "f.pdf", worker_limit=LIMIT)
        pieces = iter(found)
        next(pieces)
        found.close()
        assert (budget.held, children()) == (0, set())
        with pytest.raises(errors.ClosedError):
            iter(found)
        pieces = iter(documents(mixed / "f.pdf", worker_limit=LIMIT))
        next(pieces)
        del pieces
        assert (budget.held, children()) == (0, set())
    assert threading.active_count() == threads


def test_one_loop_at_a_time(mixed):
    """A second loop beside the first would take its pieces."""
    found = documents(mixed / "a.txt", piece_bytes=16)
    first = iter(found)
    next(first)
    with pytest.raises(errors.UsageError, match="another loop"):
        iter(found)
    first.close()
    assert list(found)


def test_the_budget_pays_for_what_is_read(mixed):
    """Plain text needs no process; what does is refused with the figures and what to change."""
    with fw.Budget("16 MiB") as budget:
        assert list(documents(mixed / "a.txt"))
        with pytest.raises(errors.BudgetExceeded, match=r"96\.0 MiB for 'documents\.worker'.*worker_limit"):
            list(documents(mixed, worker_limit=LIMIT))
        assert budget.held == 0
    with fw.Budget("1 MiB"), pytest.raises(errors.BudgetExceeded, match="'documents'"):
        list(documents(mixed / "a.txt"))


def test_the_bound_is_what_is_reserved(mixed):
    """While a PDF is read, the budget holds `bytes_max()` to the byte."""
    with fw.Budget("256 MiB") as budget:
        found = documents(mixed / "f.pdf", worker_limit=LIMIT)
        next(iter_ := iter(found))
        assert budget.held == found.bytes_max()
        iter_.close()


def test_a_closed_gate_is_waited_for(mixed, monkeypatch):
    """No piece is taken in while the budget's gate is paused; when nobody opens it, that is said."""
    with fw.Budget("16 MiB") as budget:
        pieces = iter(documents(mixed / "a.txt", piece_bytes=16))
        next(pieces)
        budget.gate.pause("memory is critical")
        arrived = threading.Event()
        thread = threading.Thread(target=lambda: (next(pieces), arrived.set()))
        thread.start()
        assert not arrived.wait(0.1)
        budget.gate.resume()
        assert arrived.wait(10)
        thread.join()
        budget.gate.pause("memory is critical")
        monkeypatch.setattr(type(budget.gate), "wait", lambda _self: False)
        with pytest.raises(errors.LimitReached, match="memory is critical"):
            list(pieces)

        async def never(_self):
            return False

        async def read():
            return [piece async for piece in documents(mixed / "a.txt")]

        monkeypatch.setattr(type(budget.gate), "wait_async", never)
        with pytest.raises(errors.LimitReached, match="memory is critical"):
            asyncio.run(read())


def test_a_page_that_hangs_is_given_up(tmp_path):
    """A page of two gigabytes of nothing takes its time-out, and the others come; the file's size costs nothing."""
    writer = making.PdfWriter(tmp_path / "a.pdf")
    writer.page(making.page_stream(1, 50))
    writer.page_of(writer.hole(2 << 30))
    writer.page(making.page_stream(3, 50))
    writer.close()
    found = documents(tmp_path / "a.pdf", worker_limit="128 MiB", page_timeout_s=0.5)
    assert [piece.page for piece in found] == [1, 3]
    assert "page_timeout_s" in found.report.problems[0].reason


def test_a_page_that_needs_too_much_is_given_up(tmp_path):
    """Forms in forms, four each, thirty deep: the kernel ends the worker, and the others come."""
    writer = making.PdfWriter(tmp_path / "a.pdf")
    writer.page(making.page_stream(1, 50))
    form = writer.stream(b"BT (leaf) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]")
    for _ in range(30):
        inner = b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X %d 0 R>>>>" % form
        form = writer.stream(b"/X Do " * 4, inner)
    writer.page_of(writer.stream(b"/X Do"), b"/Resources<</XObject<</X %d 0 R>>>>" % form)
    writer.page(making.page_stream(3, 50))
    writer.close()
    found = documents(tmp_path / "a.pdf", worker_limit="64 MiB")
    assert [piece.page for piece in found] == [1, 3]
    assert [problem.page for problem in found.report.problems] == [2]


def test_memory_that_ends_within_a_parser_is_no_end(write):
    """A comment larger than the worker: libxml2 stops without a word, and the document is reported all the same."""
    path = write("a.html", b"<html><!--" + b"a > " * (8 << 20) + b"--><p>words")
    found = documents(path, worker_limit="48 MiB")
    assert list(found) == []
    assert "worker_limit" in found.report.problems[0].reason


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": 7}, {"path": b"a"}, {"path": ""}, {"path": ["a", 7]}, {"path": "a\0b*"}, {"piece_bytes": 1}, {"piece_bytes": "1 GiB"},
        {"worker_limit": "1 MiB"}, {"page_timeout_s": 0}, {"on_error": "ignore"}, {"encoding": "nonsense"}, {"password": 7},
        {"resume": "here"}, {"resume": [1, "x", 0, 0, 0, 0]}, {"password": "a\0b"}, {"password": "\ud800"}, {"expanded_bytes_max": 0}, {"page_bytes_max": 0},
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense(arguments):
    """Each is refused at once, by its name."""
    with pytest.raises(errors.UsageError):
        documents(**{"path": ["x"], **arguments})


def test_a_time_that_is_none_is_refused_by_its_name():
    """The name of the argument stands in the error."""
    with pytest.raises(errors.UsageError, match="page_timeout_s=0"):
        documents(["x"], page_timeout_s=0)


def test_a_path_that_is_not_there():
    """Alone it is most often a slip, and raises; among others it is reported."""
    with pytest.raises(errors.BrokenError, match="there is no file"):
        documents("nothing/here.pdf")
    found = documents(["nothing/here.pdf", "nothing/*.pdf"])
    assert list(found) == []
    assert found.report.skipped == 2


def test_a_file_that_shrinks_meanwhile(write):
    """What is left is given, and the loss is said."""
    path = write("a.txt", "words " * 200_000)
    found = documents(path)
    pieces = iter(found)
    next(pieces)
    os.truncate(path, 100_000)
    list(pieces)
    assert "shrank" in found.report.problems[0].reason
    assert found.report.cut == 1


def test_a_place_in_something_else_is_refused(mixed, tmp_path):
    """A position of other paths, or of the same ones spelled otherwise, would leave documents out without a word."""
    found = documents(mixed, worker_limit=LIMIT)
    next(iter(found))
    for paths in (f"{tmp_path}/./", mixed / "c", mixed / "b.md", [mixed / "c", mixed]):
        with pytest.raises(errors.UsageError, match="not among what is read"):
            list(documents(paths, resume=found.position))
    assert list(documents(f"{mixed}/*.md", resume=found.position))


def test_a_document_that_is_written_meanwhile(mixed):
    """Its pieces may be of both versions, which is said; the text files that grow are no problem."""
    path = mixed / "f.pdf"
    found = documents([path, mixed / "a.txt"], worker_limit=LIMIT, piece_bytes=16)
    pieces = iter(found)
    next(pieces)
    os.utime(path, ns=(5, 5))
    assert {os.path.basename(piece.source) for piece in pieces} == {"f.pdf", "a.txt"}
    assert [(problem.kind, "written while" in problem.reason) for problem in found.report.problems] == [("cut", True)]


def test_a_forked_process_makes_its_own(mixed):
    """Both would read on in one open file, and each would miss what the other reads: the fork is refused, here all comes."""
    path = mixed / "long.txt"
    path.write_text("some words\n" * 40_000)
    whole = list(documents(path))
    found = documents(path)
    pieces = iter(found)
    first = next(pieces)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            next(pieces)
        except errors.ClosedError:
            code = 7
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert [first, *pieces] == whole


def test_closing_from_another_thread_ends_the_loop(mixed):
    """While a thread waits for a page that hangs, `close` ends the child, and the loop ends without an error."""
    writer = making.PdfWriter(mixed / "slow.pdf")
    writer.page_of(writer.hole(2 << 30))
    writer.close()
    found = documents(mixed / "slow.pdf", worker_limit="128 MiB", page_timeout_s=600)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(list(found)))
    thread.start()
    while not children():
        pass
    found.close()
    thread.join()
    assert ended == [[]]
    assert not children()
    assert "closed" in repr(found)


def test_it_cannot_be_copied(mixed):
    """Its position can; a reader has a place in a process."""
    found = documents(mixed / "a.txt")
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(errors.UsageError, match="position"):
            way(found)


def test_coroutines_read_the_same(mixed):
    """`async for` gives the same pieces; left early, a later loop goes on; nothing is left."""
    whole = list(documents(mixed, piece_bytes=16, worker_limit=LIMIT))

    async def read():
        found = documents(mixed, piece_bytes=16, worker_limit=LIMIT)
        first = []
        async with contextlib.aclosing(aiter(found)) as pieces:
            async for piece in pieces:
                first.append(piece)
                if piece.page:
                    break
        assert not children()
        assert found.position[1:4] == (piece.source, piece.page, piece.stop)
        return first + [piece async for piece in found], found.report.pieces

    assert asyncio.run(read()) == (whole, len(whole))
    assert not children()


def test_a_cancelled_task_loses_nothing(mixed):
    """Cancelled while a page is read, however often: the position is behind the last piece that was given out."""
    path = mixed / "many.pdf"
    making.make_pdf(path, 80, 60)
    whole = list(documents(path, worker_limit=LIMIT))

    async def read():
        found = documents(path, worker_limit=LIMIT)
        pieces = []

        async def part(count):
            async for piece in found:
                pieces.append(piece)
                if not (count := count - 1):
                    asyncio.current_task().cancel()  # at the next wait: for the piece that is read then

        while len(pieces) < len(whole):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.create_task(part(9))
            while getattr(found._running(), "gi_frame", None) is not None:  # noqa: ASYNC110 - its thread tells nobody
                await asyncio.sleep(0)
        return pieces, found.report.pieces

    assert asyncio.run(read()) == (whole, len(whole))
    assert not children()


def test_it_is_made_by_documents(mixed):
    """The class is public for annotations."""
    assert isinstance(documents(mixed / "a.txt"), Documents)


def test_files_are_read_one_by_one(tmp_path):
    """Whoever lists files himself gives them one at a time, and has the pieces, the encoding and the report of each."""
    (tmp_path / "a.txt").write_bytes("Fluss, Öl\n".encode("cp1252"))
    (tmp_path / "b.html").write_text("<html><p>two</p></html>")
    (tmp_path / "c.bin").write_bytes(bytes(range(256)))
    budget = fw.Budget("256 MiB")
    with budget:
        reader = fw.documents([])
    told = []
    with reader.one_by_one(told.append, lossless=True) as pieces:
        assert [piece.text for piece in pieces(str(tmp_path / "a.txt"))] == ["Fluss, Öl\n"]
        assert reader.encoding == "cp1252"
        assert [piece.text.strip() for piece in pieces(str(tmp_path / "b.html"))] == ["two"]
        assert reader.encoding == ""
        assert list(pieces(str(tmp_path / "c.bin"))) == []
        assert budget.held > 0
    assert budget.held == 0
    assert [(os.path.basename(problem.source), problem.kind) for problem in told] == [
        ("a.txt", "guessed"), ("c.bin", "skipped"),
    ]  # fmt: skip
    assert reader.report.pieces == 2
