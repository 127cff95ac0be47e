"""The ladder: order, pauses, cool-downs, and whether steps helped."""

from __future__ import annotations

from flatwater.watch.ladder import Ladder, Outcome, Scene, Step, Taken, collect_step, gate_step, shed_step

MIB = 1 << 20
SCENE = Scene("high", 90, 10, "memory is high")


def steps():
    def nothing(_scene):
        return Outcome("done")

    return [
        Step("one", nothing, settle_s=1, cooldown_s=2),
        Step("two", nothing, settle_s=1, cooldown_s=5),
        Step("three", nothing, level="critical", settle_s=1, cooldown_s=60, once=True),
    ]


def climb(level_at, until_s, *, idle=False):
    """`(second, step)` of all that was taken, asking every half second."""
    ladder, taken = Ladder(steps()), []
    for half in range(until_s * 2):
        now_s = half / 2
        step = ladder.due(now_s, level_at(now_s))
        if step is not None:
            taken.append((now_s, step.name))
            ladder.took(step, now_s, Outcome("", idle=idle))
        elif level_at(now_s) == "normal":
            ladder.reset()
    return taken


def test_steps_come_one_at_a_time_with_a_pause():
    """Each step waits for the pause of the one before; those of a higher level are not taken."""
    assert climb(lambda _now: "high", 5) == [(0.0, "one"), (1.0, "two")]


def test_all_steps_are_taken_at_critical():
    """At critical the ladder goes to its end."""
    assert climb(lambda _now: "critical", 5) == [(0.0, "one"), (1.0, "two"), (2.0, "three")]


def test_nothing_is_done_at_normal():
    """A normal level has no steps."""
    assert climb(lambda _now: "normal", 5) == []


def test_the_ladder_is_climbed_again_after_a_rest_but_not_its_last_step():
    """Pressure that stays is met again every ten seconds; what is done once is not repeated."""
    taken = climb(lambda _now: "critical", 25)
    assert [step for step in taken if step[1] == "one"] == [(0.0, "one"), (10.0, "one"), (20.0, "one")]
    assert sum(name == "three" for _now, name in taken) == 1


def test_flapping_does_not_climb():
    """A level that comes back within the cool-down of the first step waits for it, rather than taking a harsher one."""
    taken = climb(lambda now_s: "high" if int(now_s * 2) % 2 == 0 else "normal", 10)
    assert {name for _now, name in taken} == {"one"}
    assert len(taken) == 5


def test_a_step_with_nothing_to_do_takes_no_pause():
    """Idle steps follow each other at once."""
    assert climb(lambda _now: "high", 3, idle=True)[:2] == [(0.0, "one"), (0.5, "two")]


def giving(level, given, *, drop=MIB, growth=MIB):
    """`(half second, step)` of a ladder whose first step gives; each time the size drops, and it grows every half second."""
    first, *rest = steps()
    ladder, taken = Ladder([Step("one", first.take, settle_s=1, cooldown_s=9, again_s=1.0, beside=True), *rest]), []
    left, size = list(given), 100 * MIB
    for half in range(18):
        while (step := ladder.due(half / 2, level, size)) is not None:
            taken.append((half / 2, step.name))
            before = size
            if step.name == "one" and left:
                size -= drop
                ladder.took(step, half / 2, Outcome("", left.pop(0)), before=before, after=size)
            else:
                ladder.took(step, half / 2, Outcome("", 0), before=size, after=size)
        size += growth
    return taken


def test_what_gives_at_critical_is_taken_again_beside_the_climb():
    """Every second while it gives and memory grows, without holding up the other steps."""
    taken = giving("critical", [MIB, MIB, MIB, 0])
    assert [now_s for now_s, name in taken if name == "one"] == [0.0, 1.0, 2.0, 3.0]
    assert [name for _now_s, name in taken if name != "one"] == ["two", "three"]


def test_what_gives_at_high_waits_for_its_cool_down():
    """At high there is time: it is taken once a climb."""
    assert [name for _now_s, name in giving("high", [MIB, MIB, MIB])] == ["one", "two"]


def test_memory_that_stays_is_not_asked_for_again():
    """Without growth since, the climb goes on alone: a cache is not emptied for a size that is no longer its own."""
    taken = giving("critical", [MIB, MIB, MIB], growth=0)
    assert [now_s for now_s, name in taken if name == "one"] == [0.0]


def test_what_the_allocator_keeps_is_trimmed_at_once():
    """Bytes that were given and not seen to go: the next step follows without a pause."""
    taken = giving("critical", [MIB, MIB, MIB], drop=0, growth=0)
    assert taken[:2] == [(0.0, "one"), (0.0, "two")]
    assert [now_s for now_s, name in taken if name == "one"] == [0.0]
    assert (1.0, "one") in giving("critical", [MIB, MIB, MIB], drop=0, growth=MIB)


def test_trimming_that_gives_is_repeated_at_critical():
    """It comes again as soon as it is cool while it gives something back; when it gives nothing, the ladder rests."""
    one, two, three = steps()
    ladder = Ladder([one, Step("two", two.take, settle_s=1, cooldown_s=60, again_s=2.0), three])
    left, taken = [MIB, MIB, MIB], []
    for half in range(18):
        step = ladder.due(half / 2, "critical")
        if step is not None:
            taken.append((half / 2, step.name))
            ladder.took(step, half / 2, Outcome("", left.pop() if step.name == "two" and left else 0))
    assert [now_s for now_s, name in taken if name == "two"] == [1.0, 3.0, 5.0, 7.0]
    assert [name for _now_s, name in taken if name != "two"] == ["one", "three"]


def test_after_normal_what_gave_is_not_waited_for_at_critical():
    """A second alarm at critical within the cool-down of a step that gives finds it ready."""
    first, *rest = steps()
    ladder = Ladder([Step("one", first.take, settle_s=1, cooldown_s=9, again_s=1.0, beside=True), *rest])
    ladder.took(ladder.due(0.0, "critical"), 0.0, Outcome("", said_bytes=MIB), before=2 * MIB, after=MIB)
    ladder.reset()
    assert ladder.due(0.5, "critical", 9 * MIB) is None
    assert ladder.due(1.0, "high", 9 * MIB) is None
    assert ladder.due(1.0, "critical", MIB).name == "one"


def test_a_fresh_critical_does_not_wait_for_the_cool_down():
    """When the level rises to critical, shedders that gave nothing a moment ago are asked at once; at high they are not."""
    for level, due in (("high", False), ("critical", True)):
        first, *rest = steps()
        ladder = Ladder([Step("one", first.take, cooldown_s=9, beside=True), *rest])
        ladder.took(ladder.due(0.0, level), 0.0, Outcome("", 0))
        ladder.reset()
        ladder.hurry(level)
        assert (ladder.due(0.1, level) is not None) is due


def test_an_empty_ladder_is_no_trouble():
    """Without steps nothing is due."""
    assert Ladder([]).due(0.0, "critical") is None


def test_shedding_asks_for_what_is_over():
    """Shedders are asked for the bytes that are over, and their claim is kept."""
    asked = []
    outcome = shed_step(lambda wanted: asked.append(wanted) or 7).take(SCENE)
    assert asked == [10]
    assert (outcome.said_bytes, outcome.idle) == (7, False)
    assert shed_step(lambda _wanted: 0).take(SCENE).idle


def test_collecting_says_what_it_found():
    """Collected objects and trimmed bytes are in the words."""
    outcome = collect_step(lambda: 2048, lambda: 3).take(SCENE)
    assert outcome.words == "collected 3 objects, trim returned 2.0 KiB"


class FakeGate:
    def __init__(self):
        self.is_open = True
        self.reason = ""

    def pause(self, reason):
        self.is_open, self.reason = False, reason

    def resume(self):
        self.is_open = True


def test_the_gate_is_closed_once_and_by_whom_is_known():
    """A gate that somebody else closed is left to them."""
    gate, mine = FakeGate(), []
    step = gate_step(gate, lambda: mine.append(1))
    assert step.take(SCENE).words == "intake is paused"
    assert (gate.is_open, gate.reason, mine) == (False, "memory is high", [1])
    assert step.take(SCENE).idle
    assert mine == [1]


def test_a_step_without_effect_is_said_so():
    """The words name the bytes the operating system saw, and say when that did not help, once it is known."""
    helped = Taken("shed", 0.0, 100 * MIB, 90 * MIB, Outcome("asked"), settled=91 * MIB)
    assert helped.words == "shed: asked; the operating system saw 10.0 MiB less"
    useless = Taken("shed", 0.0, 100 * MIB, 100 * MIB, Outcome("asked"))
    assert useless.words == "shed: asked; the operating system saw 0 B less"
    useless.settled = 101 * MIB
    assert useless.words == "shed: asked; the operating system saw 0 B less: it did not help"
