import json

import flatwater as fw
from flatwater.meter import Reading


def filled():
    reading = Reading("load")
    reading.done = True
    reading.wall_s, reading.cpu_s = 1.25, 1.2
    reading.peak_rss, reading.delta, reading.peak_anon = 100 << 20, 84 << 20, 90 << 20
    reading.retained, reading.external, reading.python_blocks = -(3 << 20), 512, 1234
    reading.rss_anon, reading.rss_file = 10 << 20, 6 << 20
    return reading


def test_the_table_has_duration_peak_retained_and_external():
    """The rows of the table that everybody knows, with units and signs."""
    text = str(filled())
    lines = text.splitlines()
    assert lines[0] == "load:"
    assert "1.2 s" in lines[1] or "1.3 s" in lines[1]
    assert "100 MiB   exact; +84.0 MiB above the start" in text
    assert "-3.0 MiB" in text
    assert "+512 B" in text
    assert "+1,234" in text


def test_an_open_reading_says_so():
    """Nothing that is not known yet is printed as a number."""
    assert str(Reading("load")) == "load: still being measured"
    assert "open" in repr(Reading("load"))


def test_unknown_sizes_are_none_in_json_and_unknown_in_text():
    """-1 is a mark inside the program, never a figure outside."""
    reading = filled()
    reading.rss_file = reading.swap = reading.peak_anon = -1
    reading.doubt, reading.probe = "no anonymous size", "psutil (darwin)"
    figures = json.loads(json.dumps(reading.to_dict()))
    assert figures["rss_file"] is None
    assert figures["swap"] is None
    assert "unknown" in str(reading)
    assert "psutil (darwin): no anonymous size" in str(reading)
    assert "-1" not in str(reading)


def test_the_keys_that_reports_use():
    """to_dict has each figure under its documented name."""
    with fw.measure("x", gc=False) as reading:
        pass
    assert {
        "peak_rss", "peak_anon", "delta", "retained", "rss_anon", "rss_file", "swap", "external", "python_blocks",
        "gc_collections", "gc_pause_s", "cpu_s", "wall_s", "reusable_bytes", "probe",
    } <= reading.to_dict().keys()  # fmt: skip
