import os


def cpu_model() -> str:
    with open("/proc/cpuinfo") as info:
        for line in info.read().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def version(package_dir: str) -> tuple[int, ...]:
    with open(os.path.join(package_dir, "VERSION")) as handle:
        return tuple(int(part) for part in handle.read().strip().split("."))
