"""tour.onlooker: a browser that looks at what is served."""

from __future__ import annotations

import os
import stat
import time

import pytest

from flatwater.tour import onlooker
from flatwater.tour.onlooker import ADDRESS, READY, SAW, SOON, Onlooker, read, waited_for, write

HAS_CHROMIUM = any(map(onlooker.shutil.which, onlooker._NAMES))


def test_files_are_left_whole(tmp_path):
    """One that is not there is empty; a folder that has gone is no error."""
    assert (read(str(tmp_path), SAW), waited_for(str(tmp_path), SAW, 0.0)) == ("", "")
    write(str(tmp_path), SAW, "rows")
    assert waited_for(str(tmp_path), SAW, 0.0) == "rows"
    assert os.listdir(tmp_path) == [SAW]
    write(str(tmp_path / "none"), SAW, "rows")


def test_where_nothing_is_served_no_browser_starts(tmp_path, monkeypatch):
    """The thread ends with the tour."""
    monkeypatch.setattr(onlooker, "_Chromium", lambda *_: pytest.fail("started"))
    with Onlooker(str(tmp_path)):
        pass
    assert os.listdir(tmp_path) == []


def test_without_a_browser_that_is_said(tmp_path, monkeypatch):
    """At once, so that nobody waits for one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    write(str(tmp_path), SOON, "yes")
    with Onlooker(str(tmp_path)):
        assert waited_for(str(tmp_path), READY, 30.0) == "no Chromium is on this machine, so no browser looked"


@pytest.mark.skipif(os.name != "posix", reason="a program is a script here")
def test_a_browser_that_is_none_is_said(tmp_path, monkeypatch):
    """One that ends at once, and one that does not answer, which the tour's end ends."""
    folder = tmp_path / "folder"
    folder.mkdir()
    program = tmp_path / "chromium"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    write(str(folder), SOON, "yes")
    with Onlooker(str(folder)):
        assert waited_for(str(folder), READY, 30.0).startswith("Chromium could not look at it: ")
    os.unlink(folder / READY)
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    monkeypatch.setattr(onlooker, "_CLOSE_S", 0.1)
    with Onlooker(str(folder)):
        until = time.monotonic() + 30
        while not read(str(tmp_path), "pid").strip():
            assert time.monotonic() < until
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(read(str(tmp_path), "pid")), 0)


@pytest.mark.skipif(os.name != "posix", reason="a program is a script here")
def test_a_browser_has_a_home_of_its_own(tmp_path, monkeypatch):
    """Below its profile, whatever the user's is and wherever his settings stand; they are there, and go with the profile."""
    folder = tmp_path / "folder"
    folder.mkdir()
    program = tmp_path / "chromium"
    names = ["HOME", *onlooker._XDG]
    for name in names:
        monkeypatch.setenv(name, str(tmp_path / "user"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    places = " ".join(f'"${name}"' for name in names)
    program.write_text(
        f'#!/bin/sh\nfor place in {places}; do touch "$place/left" && echo "$place"; done > {tmp_path}/places\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    write(str(folder), SOON, "yes")
    with Onlooker(str(folder)):
        assert waited_for(str(folder), READY, 30.0).startswith("Chromium could not look at it: ")
    told = read(str(tmp_path), "places").split()
    assert len(told) == len(names)
    assert all(place.startswith(str(folder / "profile")) for place in told)
    assert not os.path.exists(folder / "profile")
    assert not os.path.exists(tmp_path / "user")


@pytest.mark.slow
@pytest.mark.skipif(not HAS_CHROMIUM, reason="NO CHROMIUM: the tour's browser is not tried (install chromium)")
def test_the_console_shows_live_rows(tmp_path, monkeypatch):
    """It is opened with a live query before the first row, and has the last one in the end; nothing of the browser stays, nor in the user's home."""
    pytest.importorskip("lmdb")
    from flatwater.live.database import Database

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in onlooker._XDG:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "folder"
    folder.mkdir()
    with Database(tmp_path / "data", sync="off") as db:
        db.sql(
            "CREATE TABLE accounts (id BIGINT PRIMARY KEY, name TEXT, cents BIGINT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')"
        )
        with db.serve(port=0) as server, Onlooker(str(folder)):
            write(str(folder), SOON, "yes")
            write(str(folder), ADDRESS, f"{server.url.rstrip('/')}/#token={server.token('reader')}")
            assert waited_for(str(folder), READY, 60.0) == "yes"
            db.sql("INSERT INTO accounts VALUES (1, 'one', 1), (2, 'two', 2), (300, 'not asked for', 3)")
            db.sql("INSERT INTO accounts VALUES (-1, 'the end', 0)")
            assert "showed 3 rows in the end, the last one among them" in waited_for(str(folder), SAW, 60.0)
    assert not os.path.exists(folder / "profile")
    assert os.listdir(home) == []
