"""watch.script: `fw.watch()`, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run(text):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60, check=False
    )


def test_one_line_watches_for_the_rest_of_the_program():
    """The same watcher each time, its budget is the ambient one, and nothing is said where nothing happens."""
    done = run("""
        import flatwater as fw
        watcher = fw.watch("1 GiB")
        assert watcher is fw.watch() is fw.watch("1 GiB")
        assert fw.Budget.current() is watcher.budget and watcher.limit == 1 << 30
        print(watcher.level)
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("normal\n", "", 0)


def test_without_a_size_it_is_what_the_process_may_have():
    """The ambient budget, which finds that out."""
    done = run("""
        import flatwater as fw
        with fw.Budget("1 GiB") as budget:
            assert fw.watch().budget is budget
    """)
    assert (done.stderr, done.returncode) == ("", 0)


def test_other_arguments_are_refused():
    """Since there is one for a process."""
    done = run("""
        import flatwater as fw
        fw.watch("1 GiB")
        try:
            fw.watch("2 GiB")
        except fw.errors.UsageError as error:
            print(error)
    """)
    assert "watched already" in done.stdout


def test_a_program_that_came_near_its_limit_says_so_at_the_end():
    """After the alert, and the log on stderr."""
    done = run("""
        import time
        import flatwater as fw
        got = []
        watcher = fw.watch("64 MiB", alert=got.append)
        held = bytearray(b"x") * (80 << 20)
        until = time.monotonic() + 30
        while not got and time.monotonic() < until:
            time.sleep(0.01)
        print([each["level"] for each in got][:1])
    """)
    assert done.stdout == "['critical']\n"
    assert "memory is critical" in done.stderr
    assert "came near its limit of 64.0 MiB" in done.stderr.splitlines()[-1]


def test_a_forked_child_is_watched_by_itself():
    """With a watcher of its own."""
    done = run("""
        import os, warnings
        warnings.simplefilter("ignore")
        import flatwater as fw
        before = fw.watch("1 GiB")
        if os.fork() == 0:
            after = fw.watch("1 GiB")
            print(after is not before, after.level, flush=True)
            os._exit(0)
        os.wait()
    """)
    assert (done.stdout, done.returncode) == ("True normal\n", 0)


def test_its_budget_is_that_of_all_threads():
    """Also of those that began before, and inside a block that is open."""
    done = run("""
        import threading
        import flatwater as fw
        go, found = threading.Event(), []
        def look():
            go.wait()
            found.append(fw.Budget.current())
        before = threading.Thread(target=look)
        before.start()
        with fw.Budget("2 GiB"):
            watcher = fw.watch("1 GiB")
            found.append(fw.Budget.current())
        after = threading.Thread(target=look)
        after.start()
        go.set()
        before.join()
        after.join()
        assert [each is watcher.budget for each in [*found, fw.Budget.current()]] == [True] * 4
    """)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_forked_child_that_names_no_size_has_its_parents():
    """In a budget of its own, with a gate that can be closed; one that does not watch finds out what it may have."""
    done = run("""
        import os, warnings
        warnings.simplefilter("ignore")
        import flatwater as fw
        before = fw.watch("1 GiB")
        if os.fork() == 0:
            with fw.Budget.current().reserve("1 MiB", "child"):
                pass
            after = fw.watch()
            assert after.budget is not before.budget and fw.Budget.current() is after.budget
            after.budget.gate.pause("memory is critical")
            print(after.limit == 1 << 30, flush=True)
            os._exit(0)
        os.wait()
    """)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_package_stays_a_package():
    """Names of the floor are where they were."""
    done = run("""
        import flatwater as fw
        import flatwater.watch
        from flatwater.watch import Watcher, forecast
        import flatwater.watch.levels
        assert fw.watch.Watcher is fw.Watcher is Watcher
        assert "forecast" in dir(fw.watch)
    """)
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_last_alert_arrives():
    """The program waits for it, within bounds."""
    done = run("""
        import time
        import flatwater as fw
        def tell(alert):
            time.sleep(0.5)
            print(alert["level"], flush=True)
        watcher = fw.watch("64 MiB", alert=tell)
        held = bytearray(b"x") * (80 << 20)
        until = time.monotonic() + 30
        while watcher.level == "normal" and time.monotonic() < until:
            time.sleep(0.005)
    """)
    assert "critical" in done.stdout.splitlines()


def test_a_target_that_hangs_is_waited_for_once():
    """At the end of the program."""
    done = run("""
        import time
        import flatwater as fw
        from flatwater.watch import Alerts
        whole = Alerts.flush
        def flush(self):
            print("waits", flush=True)
            return whole(self, wait_s=0.1)
        Alerts.flush = flush
        watcher = fw.watch("64 MiB", alert=lambda alert: time.sleep(3600))
        held = bytearray(b"x") * (80 << 20)
        until = time.monotonic() + 30
        while watcher.level == "normal" and time.monotonic() < until:
            time.sleep(0.005)
        watcher.stop()
    """)
    assert done.stdout == "waits\n"


def test_a_watcher_that_was_stopped_is_not_given_again():
    """A size is the same however it is written."""
    done = run("""
        import flatwater as fw
        first = fw.watch("512 MiB")
        assert fw.watch(512 << 20) is first
        first.stop()
        second = fw.watch("256 MiB")
        assert second is not first and second.limit == 256 << 20
    """)
    assert (done.stderr, done.returncode) == ("", 0)
