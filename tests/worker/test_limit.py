"""worker.limit: the best limit there is, by what the machine offers; a poorer one with its reason, never a silent none."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater import errors, units
from flatwater.worker import limit
from flatwater.worker.limit import make_limit

MIB = units.MIB
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")


class Machine:
    """A fake /proc and /sys; plain files in place of the kernel's."""

    def __init__(self, root):
        self.proc, self.sys = root / "proc", root / "sys"
        (self.proc / "self").mkdir(parents=True)
        (self.sys / "fs/cgroup").mkdir(parents=True)

    def cgroup_lines(self, *lines):
        (self.proc / "self/cgroup").write_text("".join(f"{line}\n" for line in lines))

    def v2(self, where="", controllers="memory pids", handed_down="memory", mount="fs/cgroup"):
        folder = self.sys / mount / where
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.controllers").write_text(controllers)
        (folder / "cgroup.subtree_control").write_text(handed_down)
        return folder

    def v1(self, where=""):
        folder = self.sys / "fs/cgroup/memory" / where
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.limit_in_bytes").write_text("9223372036854771712")
        return folder

    def make(self, size="64 MiB", **options):
        return make_limit(size, proc_root=str(self.proc), sys_root=str(self.sys), **options)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def kernel(monkeypatch):
    """Does what the kernel does when a directory is made in a cgroup: fills it. `rounding` may change what it keeps."""
    made = []
    make, remove = os.mkdir, os.rmdir

    def mkdir(path, *rest):
        make(path, *rest)
        if not Path(path).name.startswith("flatwater-"):
            return
        for name in ("memory.max", "memory.swap.max", "memory.limit_in_bytes", "cgroup.procs"):
            Path(path, name).write_text("")
        made.append(Path(path))

    def rmdir(path):
        for file in Path(path).iterdir():
            file.unlink()
        remove(path)

    monkeypatch.setattr(os, "mkdir", mkdir)
    monkeypatch.setattr(os, "rmdir", rmdir)
    return made


def test_v2_is_taken_first(machine, kernel):
    """With both versions there, v2 limits memory and forbids swap, in a directory below our own group."""
    machine.cgroup_lines("5:memory:/", "0::/user/me")
    own = machine.v2("user/me")
    machine.v2()
    machine.v1()
    group = machine.make(name="run")
    (made,) = kernel
    assert (group.kind, group.scope, group.limit_bytes, group.note) == ("cgroup v2", "tree", 64 * MIB, "")
    assert made.parent == own
    assert made.name.startswith(f"flatwater-run-{os.getpid()}-")
    assert (made / "memory.max").read_text() == str(64 * MIB)
    assert (made / "memory.swap.max").read_text() == "0"
    assert group.procs_file() == str(made / "cgroup.procs")


def test_v2_goes_up_to_where_memory_is_handed_down(machine, kernel):
    """Where our own group cannot hand memory down, the nearest one above that does is used."""
    machine.cgroup_lines("0::/a/b")
    machine.v2(controllers="cpu memory", handed_down="cpu memory")
    above = machine.v2("a", handed_down="memory")
    machine.v2("a/b", controllers="pids", handed_down="")
    assert machine.make().kind == "cgroup v2"
    assert kernel[0].parent == above


def test_v2_is_asked_to_hand_memory_down(machine, kernel):
    """A group that has the controller and may hand it down is told to."""
    machine.cgroup_lines("0::/")
    folder = machine.v2(handed_down="")
    assert machine.make().kind == "cgroup v2"
    assert (folder / "cgroup.subtree_control").read_text() == "+memory"


def test_v2_on_a_hybrid_machine(machine, kernel):
    """A v2 hierarchy under unified without the memory controller gives way to v1."""
    machine.cgroup_lines("4:memory:/box", "0::/box")
    machine.v2(mount="fs/cgroup/unified", controllers="", handed_down="")
    own = machine.v1("box")
    machine.v1()
    group = machine.make()
    assert (group.kind, group.scope) == ("cgroup v1", "tree")
    assert kernel[0].parent == own
    assert (kernel[0] / "memory.limit_in_bytes").read_text() == str(64 * MIB)


@pytest.mark.parametrize("path", ["/docker/abc", "/../..", "/.."])
def test_v1_in_a_container(machine, kernel, path):
    """Where /proc names a group that is not below the mount, the mount itself is our group; nothing is made outside."""
    machine.cgroup_lines(f"4:cpu,memory:{path}")
    top = machine.v1()
    assert machine.make().kind == "cgroup v1"
    assert [made.parent for made in kernel] == [top]


def test_a_path_with_a_colon_is_read_whole(machine, kernel):
    """The third field of /proc/self/cgroup may have colons in it."""
    machine.cgroup_lines("1:name=systemd:/x", "7:memory:/a:b")
    machine.v1()
    own = machine.v1("a:b")
    machine.make()
    assert kernel[0].parent == own


def test_without_any_cgroup_it_is_rlimit_data(machine):
    """No cgroup at all: RLIMIT_DATA, each process on its own, with the reasons in the note."""
    group = machine.make()
    assert (group.kind, group.scope, group.limit_bytes) == ("rlimit_data", "process", 64 * MIB)
    assert "cgroup v2 is not mounted" in group.note
    assert "cgroup v1 has no memory controller here" in group.note
    assert limit.RLIMIT_SCOPE_NOTE in group.note
    assert (group.procs_file(), group.pids(), group.kills(), group.usage_bytes(), group.close()) == (
        "",
        [],
        0,
        -1,
        True,
    )


def test_no_rights_are_a_reason(machine, monkeypatch):
    """A read-only or foreign hierarchy falls back, and says permission denied."""
    machine.cgroup_lines("4:memory:/", "0::/")
    machine.v2()
    machine.v1()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "mkdir", refuse)
    group = machine.make()
    assert group.kind == "rlimit_data"
    assert "cgroup v2: permission denied; cgroup v1: permission denied" in group.note


def test_asking_for_a_cgroup_that_cannot_be_had_is_an_error(machine):
    """kind="cgroup" is not quietly something else."""
    with pytest.raises(errors.BrokenError, match="no memory cgroup can be made here: cgroup v2 is not mounted"):
        machine.make(kind="cgroup")


@pytest.mark.parametrize("kept", ["4096", "max trouble", "", str(64 * MIB * 2)])
def test_a_limit_that_did_not_take_is_not_believed(machine, kernel, monkeypatch, kept):
    """If the kernel reads back another limit, or none, the group is removed and the next kind is tried."""
    machine.cgroup_lines("0::/")
    machine.v2()
    monkeypatch.setattr(limit, "_write", lambda path, text: Path(path).write_text(kept))
    group = machine.make()
    assert group.kind == "rlimit_data"
    assert kernel
    assert not kernel[0].exists()


def test_the_kernels_rounding_is_kept(machine, kernel, monkeypatch):
    """What the kernel rounded to pages is what the group says."""
    machine.cgroup_lines("0::/")
    machine.v2()
    monkeypatch.setattr(limit, "_write", lambda path, text: Path(path).write_text(str(int(text) // 4096 * 4096)))
    assert machine.make(64 * MIB + 1234).limit_bytes == 64 * MIB


def test_sizes_beyond_32_bits_pass(machine, kernel):
    """A limit of 6 GiB is written and read back as such; the largest size there is may be capped by the kernel."""
    machine.cgroup_lines("0::/")
    machine.v2()
    assert machine.make("6 GiB").limit_bytes == 6 * units.GIB
    assert machine.make(units.BYTES_VALUE_MAX).limit_bytes == units.BYTES_VALUE_MAX


@pytest.mark.parametrize("size", [0, -1, 1, "64 XB", "nan", "", True, 1.5, None, b"64MiB", units.BYTES_VALUE_MAX + 1])
def test_a_size_that_makes_no_sense_is_refused(size):
    """Zero, negative, too small, too large, or no size at all: wrong use, and nothing is made."""
    with pytest.raises(errors.UsageError, match="limit"):
        make_limit(size)


@pytest.mark.parametrize("kind", ["", "v2", "none", None])
def test_an_unknown_kind_is_refused(kind):
    """Only auto, cgroup and rlimit_data are kinds."""
    with pytest.raises(errors.UsageError, match="auto, cgroup or rlimit_data"):
        make_limit("64MiB", kind=kind)


def test_a_name_cannot_leave_its_directory(machine, kernel):
    """Slashes, spaces and length are taken out of the name."""
    machine.cgroup_lines("0::/")
    own = machine.v2()
    group = machine.make(name="../../../etc/" + "x" * 300)
    assert Path(group.path).parent == own
    assert len(Path(group.path).name) < 100


def test_two_groups_have_two_directories(machine, kernel):
    """The same name twice is no collision."""
    machine.cgroup_lines("0::/")
    machine.v2()
    assert machine.make(name="x").path != machine.make(name="x").path


def test_a_hard_limit_below_the_size_is_what_holds(monkeypatch):
    """A process that may not have more data than its hard limit is told so, and the limit is that."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (32 * MIB, 32 * MIB))
    group = make_limit("64MiB", kind="rlimit_data")
    assert group.limit_bytes == 32 * MIB
    assert "hard limit" in group.note


def test_elsewhere_there_is_none(monkeypatch):
    """On another platform auto gives no limit and says so; asking for one is an error."""
    monkeypatch.setattr(limit, "IS_LINUX", False)
    group = make_limit("64MiB")
    assert (group.kind, group.scope) == ("none", "none")
    assert "no memory limit" in group.note
    with pytest.raises(errors.BrokenError, match="there is no cgroup limit"):
        make_limit("64MiB", kind="cgroup")


def test_closing_twice_is_fine_and_a_full_group_stays(machine, kernel, monkeypatch):
    """A group with processes in it cannot be removed: close says False; when it is gone, True."""
    machine.cgroup_lines("0::/")
    machine.v2()
    group = machine.make()
    (kernel[0] / "cgroup.procs").write_text("12\n34\n")
    assert group.pids() == [12, 34]

    def busy(_path):
        raise OSError(16, "Device or resource busy")

    removing = os.rmdir
    monkeypatch.setattr(os, "rmdir", busy)
    assert group.close() is False
    monkeypatch.setattr(os, "rmdir", removing)
    assert (group.close(), group.close()) == (True, True)
    assert group.pids() == []


@pytest.mark.parametrize(
    ("kind", "name", "text", "kills"),
    [
        ("cgroup v2", "memory.events", "low 0\nhigh 0\nmax 7\noom 2\noom_kill 2\noom_group_kill 0\n", 2),
        ("cgroup v2", "memory.events", "oom_kill nonsense\n", 0),
        ("cgroup v1", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", 3),
        ("cgroup v1", "memory.oom_control", "oom_kill_disable 0\nunder_oom 1\n", 0),  # before Linux 4.13
        ("cgroup v2", "nothing", "", 0),
    ],
)
def test_kills_are_read_by_their_own_name(tmp_path, kind, name, text, kills):
    """oom_kill is the count, and neither oom nor oom_kill_disable nor oom_group_kill."""
    (tmp_path / name).write_text(text)
    assert limit.LimitGroup(kind, MIB, path=str(tmp_path)).kills() == kills


def test_the_real_kernel_kills_and_counts():
    """A process that takes 64 MiB in a real group of 24 MiB is killed, the kill is counted, and the group goes away."""
    try:
        group = make_limit("24MiB", kind="cgroup", name="test")
    except errors.BrokenError as error:
        pytest.skip(f"NO REAL CGROUP HERE, only the fake ones were tested: {error}")
    with group:
        join = f"open({group.procs_file()!r}, 'w').write('0'); x = b'x' * {64 * MIB}"
        done = subprocess.run([sys.executable, "-S", "-c", join], check=False)
        assert (done.returncode, group.kills()) == (-9, 1)
        assert 0 <= group.usage_bytes() <= 24 * MIB
        assert group.pids() == []
        path = group.path
    assert not os.path.exists(path)
