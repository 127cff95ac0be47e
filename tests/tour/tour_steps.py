"""Steps that a tour must survive or refuse; named as "tour_steps:Class" with this folder on sys.path."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from flatwater.tour import StepResult

MIB = 1 << 20


class _Blocks:
    """Promises a number of MiB, and holds another."""

    name = "blocks"
    promised_mib = 0  # all there is
    held_mib = 0
    bytes_least = MIB

    def bytes_max(self, room):
        return self.promised_mib * MIB or room

    def run(self, budget, inputs):
        held = [bytearray(MIB) for _ in range(self.held_mib)]
        return StepResult(len(held), len(held) * MIB, "blocks")


class Everything(_Blocks):
    """The leaking twin: it keeps all that it reads."""

    name = "everything"

    def run(self, budget, inputs):
        held = [os.urandom(MIB // 2) for _ in range(400)]
        return StepResult(len(held), len(held) * MIB // 2, "blocks")


class Nearly(_Blocks):
    held_mib = 13


class TooMuch(_Blocks):
    held_mib = 18


class Liar(_Blocks):
    name = "liar"
    promised_mib, held_mib = 2, 9


class Fine(_Blocks):
    name = "fine"
    held_mib = 2


class Beside(_Blocks):
    """With a twin that survives."""

    name = "beside"
    naive = "tour_twin_small"
    promised_mib, held_mib = 10, 3

    def run(self, budget, inputs):
        held = [bytearray(MIB) for _ in range(self.held_mib)]
        return StepResult(len(held), len(held) * MIB, "blocks", details={"extra": 4})


class Flat(Beside):
    """With a twin that does not."""

    name = "flat"
    naive = "tour_twin_hungry"


class Odd(Beside):
    """With a twin that has a bug."""

    name = "odd"
    naive = "tour_twin_broken"


class OnlyTogether(_Blocks):
    """It holds in the tour, and no second time."""

    name = "only together"
    promised_mib = 10

    def run(self, budget, inputs):
        if os.path.basename(inputs.folder) == "alone":
            held = [os.urandom(MIB) for _ in range(30)]
            return StepResult(len(held), 0, "blocks")
        return StepResult(1, 0, "blocks")


class Greedy(_Blocks):
    def run(self, budget, inputs):
        budget.reserve("1 GiB", "greedy")


class Raises(_Blocks):
    def run(self, budget, inputs):
        raise KeyError("a plain bug")


class Exits(_Blocks):
    def run(self, budget, inputs):
        raise SystemExit(3)


class Dies(_Blocks):
    def run(self, budget, inputs):
        os.kill(os.getpid(), signal.SIGKILL)


class Sleeps(_Blocks):
    def run(self, budget, inputs):
        time.sleep(600)


class Troubled(_Blocks):
    name = "troubled"
    trouble = "it is broken"


class Roomy(_Blocks):
    name = "roomy"
    trouble = ""
    bytes_least = 20 * MIB


class Prepared(_Blocks):
    name = "prepared"

    def prepare(self, inputs):
        self.kept = b"x" * (20 * MIB)
        with open(os.path.join(inputs.folder, "made"), "w", encoding="utf-8") as file:
            file.write("made")

    def run(self, budget, inputs):
        with open(os.path.join(inputs.folder, "made"), encoding="utf-8") as file:
            return StepResult(1, 0, "files", details={"prepared": file.read() == "made" and len(self.kept) > 0})


class Parent(_Blocks):
    name = "parent"

    def run(self, budget, inputs):
        subprocess.run([sys.executable, "-c", "kept = b'x' * (40 << 20)"], check=True)
        return StepResult(1, 0, "processes")


class LyingParent(Parent):
    promised_mib = 20
