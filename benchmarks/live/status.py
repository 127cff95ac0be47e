"""What the kernel says of this process's memory."""

from __future__ import annotations


def status_mb(field: str) -> float:
    """A line of /proc/self/status, such as VmHWM, the peak of what was resident."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(f"{field}:")) * 1024 / 1e6
