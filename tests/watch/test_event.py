"""watch.event: what was seen and done, remembered within bounds."""

from __future__ import annotations

import json
import logging
import sys
import threading

import pytest

from flatwater import limits
from flatwater.watch import event
from flatwater.watch.event import Event, Journal


def test_the_newest_are_kept():
    """A thousand notes leave the newest 256, oldest first."""
    journal = Journal(lambda: 7)
    for n in range(1000):
        journal.note(float(n), "level", f"note {n}")
    assert len(journal.events) == limits.WATCH_EVENTS_MAX
    assert journal.events[0].words == "note 744"
    assert [one.words for one in journal.newest(2)] == ["note 998", "note 999"]
    assert journal.events[-1] == Event(999.0, "level", "note 999", 7)


def test_words_are_bounded():
    """A megabyte in an exception's text is not kept in memory for as long as the event is."""
    journal = Journal(lambda: 0)
    with journal.guard(1.0, "a hook"):
        raise OSError("x" * (1 << 20))
    [one] = journal.events
    assert len(one.words) == event.WORDS_CHARS_MAX
    assert sys.getsizeof(one.words) + sys.getsizeof(one) + 64 < event.EVENT_BYTES
    assert journal.bytes_max() == limits.WATCH_EVENTS_MAX * event.EVENT_BYTES


def test_an_event_is_json():
    """Rounded to milliseconds, with the size seen then."""
    assert json.loads(json.dumps(Event(1.23456, "step", "shed", 5).to_dict())) == {
        "at_s": 1.235,
        "what": "step",
        "words": "shed",
        "seen_bytes": 5,
    }


@pytest.mark.parametrize("error", [ValueError("bad"), MemoryError(), RecursionError("deep"), SystemExit(3)])
def test_what_hooks_raise_is_said(error, caplog):
    """Any error of foreign code becomes an event and a line in the log, and goes no further."""
    journal = Journal(lambda: 0)
    with caplog.at_level(logging.ERROR, "flatwater.watch"), journal.guard(0.0, "step 'shed'"):
        raise error
    [one] = journal.events
    assert one.what == "trouble"
    assert type(error).__name__ in one.words
    assert "step 'shed'" in caplog.text


def test_an_interrupt_is_not_swallowed():
    """KeyboardInterrupt is the user's word, not a hook's failure."""
    with pytest.raises(KeyboardInterrupt), Journal(lambda: 0).guard(0.0, "a hook"):
        raise KeyboardInterrupt


def test_reading_while_the_watcher_notes():
    """A reader is never told that the list changed under it."""
    journal = Journal(lambda: 0)
    stop = threading.Event()
    switch_s = sys.getswitchinterval()

    def note():
        while not stop.is_set():
            journal.note(0.0, "level", "again")

    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=note)
    thread.start()
    try:
        for _ in range(500):
            assert len(journal.newest(300)) <= limits.WATCH_EVENTS_MAX
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(switch_s)
