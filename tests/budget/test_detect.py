import pytest

import flatwater as fw
from flatwater.budget import detect

MIB = 1 << 20


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of 8 GiB with nothing limited; add files to it."""
    monkeypatch.setattr(detect, "physical_bytes", lambda: 8 << 30)

    class Machine:
        def group(self, text):
            (tmp_path / "proc").mkdir(exist_ok=True)
            (tmp_path / "proc" / "cgroup").write_text(text)

        def write(self, name, text):
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        def limits(self, text):
            (tmp_path / "proc").mkdir(exist_ok=True)
            (tmp_path / "proc" / "limits").write_text(text)

        def detect(self):
            return detect.detect(str(tmp_path / "proc"), str(tmp_path / "cgroup"))

    return Machine()


def test_cgroup_v2_of_its_own_group(machine):
    """memory.max of the group that the process is in."""
    machine.group("0::/app/worker\n")
    machine.write("app/worker/memory.max", "268435456\n")
    assert machine.detect() == (256 * MIB, "cgroup v2 memory.max of /app/worker")


def test_a_tighter_group_above_counts(machine):
    """The kernel enforces every group above; so the least is taken."""
    machine.group("0::/app/worker\n")
    machine.write("app/worker/memory.max", "max\n")
    machine.write("app/memory.max", "104857600\n")
    assert machine.detect() == (100 * MIB, "cgroup v2 memory.max of /app")


def test_in_a_container_the_mount_is_its_own_group(machine):
    """A path that does not exist below the mount ends at the mount's root."""
    machine.group("0::/../../docker/abc\n")
    machine.write("memory.max", "52428800\n")
    assert machine.detect() == (50 * MIB, "cgroup v2 memory.max of /")


def test_cgroup_v1(machine):
    """limit_in_bytes of the memory controller; the huge number of v1 means no limit."""
    machine.group("5:cpu,cpuacct:/x\n4:memory:/x/y\n")
    machine.write("memory/x/y/memory.limit_in_bytes", "9223372036854771712\n")
    machine.write("memory/x/memory.limit_in_bytes", "1073741824\n")
    assert machine.detect() == (1 << 30, "cgroup v1 memory.limit_in_bytes of /x")


LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max data size             {soft:<20} {hard:<20} bytes
Max stack size            8388608              unlimited            bytes
"""


def test_rlimit_data(machine):
    """The soft limit of the data segment counts when no group is tighter, also another process's."""
    machine.limits(LIMITS.format(soft=300 * MIB, hard="unlimited"))
    machine.group("0::/\n")
    machine.write("memory.max", "max\n")
    assert machine.detect() == (300 * MIB, "RLIMIT_DATA")


@pytest.mark.parametrize(
    "text", [LIMITS.format(soft="unlimited", hard="unlimited"), "Max data size\n", "Max data size -1"]
)
def test_no_rlimit_data(machine, text):
    """What is unlimited, or not said, is no limit."""
    machine.limits(text)
    assert machine.detect()[1].endswith("no other limit was found")


def test_without_a_limit_it_is_a_share_of_memory(machine):
    """Half of physical memory, and the source says so; a limit above memory is none."""
    machine.group("0::/\n")
    machine.write("memory.max", str(64 << 30))
    limit, source = machine.detect()
    assert limit == 4 << 30
    assert source == "50% of 8.0 GiB physical memory; no other limit was found"


@pytest.mark.parametrize("text", ["", "garbage", "0::", "::::", "0:memory", "\0\0", "x:memory:/a\n" * 3])
def test_hostile_files_give_the_fallback(machine, text):
    """Nothing that stands in /proc makes it raise."""
    machine.group(text)
    machine.write("memory.max", "12 parsecs")
    assert machine.detect()[0] == 4 << 30


def test_nothing_can_be_read(tmp_path, monkeypatch):
    """A machine that tells nothing gets a stated guess."""
    monkeypatch.setattr(detect, "physical_bytes", lambda: 0)
    limit, source = detect.detect(str(tmp_path), str(tmp_path))
    assert limit == 1 << 30
    assert "guess" in source


def test_on_this_machine():
    """Budget.detect gives a budget of at most physical memory, with its source."""
    budget = fw.Budget.detect()
    assert 0 < budget.limit <= detect.physical_bytes()
    assert budget.source in str(budget.explain())


def test_a_real_rlimit_is_seen(tmp_path):
    """A process started with RLIMIT_DATA detects it."""
    import subprocess
    import sys

    program = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 200 << 20)); import flatwater as fw; b = fw.Budget.detect(); print(b.limit, b.source)"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    count, source = out.strip().split(" ", 1)
    assert int(count) <= 200 << 20
    assert source == "RLIMIT_DATA" or int(count) < 200 << 20
