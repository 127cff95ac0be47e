"""What is admitted is counted and taken from the budget; what does not fit is refused and leaves no trace."""

import pytest

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.serving.admission import Admission, Refusal


@pytest.fixture
def budget():
    return Budget("1 MiB", name="test")


def test_everything_is_given_back(budget):
    """What came and went leaves nothing but a step in the budget, and nothing at the end."""
    admission = Admission(budget, is_tls=False)
    for _ in range(100):
        admission.connect()
        admission.follow(2)
    admission.pause(3)
    admission.receive(10_000)
    assert admission.promised() == budget.held
    assert budget.held >= admission.bytes_held() > 100 * limits.SERVE_CONNECTION_BYTES
    admission.receive(-10_000)
    admission.pause(-3)
    for _ in range(100):
        admission.follow(-2)
        admission.disconnect()
    assert admission.bytes_held() == 0
    assert budget.held <= 2 * limits.SERVE_CONNECTIONS_STEP
    admission.close()
    assert budget.held == 0


def fits(take):
    """Whether something was admitted."""
    try:
        return take() is not False
    except errors.FlatwaterError:
        return False


@pytest.mark.parametrize("what", ["connect", "follow", "pause", "receive", "come"])
def test_what_does_not_fit(budget, what):
    """Is refused when the budget is full, and is not counted; what there was stays."""
    admission = Admission(budget, is_tls=False)
    admission.connect()
    count = 0

    def take():
        return {
            "connect": admission.connect, "follow": lambda: admission.follow(1), "pause": lambda: admission.pause(1),
            "receive": lambda: admission.receive(50_000), "come": admission.come,
        }[what]()  # fmt: skip

    while count < 100_000 and fits(take):
        count += 1
    held = admission.bytes_held()
    assert count > 0
    assert held <= 1 << 20
    assert not fits(take)
    assert admission.bytes_held() == held


def test_connections_of_a_user(budget):
    """A user has as many as he may; one that leaves makes room."""
    admission = Admission(budget, is_tls=False)
    admission.enter("ada", 2)
    admission.enter("ada", 2)
    with pytest.raises(Refusal, match=r"'ada' has 2 connections.*ALTER USER"):
        admission.enter("ada", 2)
    admission.enter("bob", 2)
    admission.leave("ada")
    admission.enter("ada", 2)


def test_the_gate(budget):
    """While the budget's gate is closed nothing new is taken; what leaves may leave."""
    admission = Admission(budget, is_tls=False)
    admission.connect()
    admission.follow(1)
    budget.gate.pause("a test")
    assert not admission.is_open
    for refused in (admission.connect, lambda: admission.follow(1)):
        with pytest.raises(Refusal, match="short of memory"):
            refused()
    admission.follow(-1)
    admission.disconnect()
    budget.gate.resume()
    admission.connect()


def test_tls_takes_more():
    """A connection with TLS is counted with what TLS takes."""
    budget = Budget("16 MiB", name="tls")
    admission = Admission(budget, is_tls=True)
    handshakes = admission.bytes_held()
    assert handshakes == limits.SERVE_HANDSHAKES_MAX * limits.SERVE_TLS_BYTES <= budget.held
    admission.connect()
    assert admission.bytes_held() - handshakes == limits.SERVE_CONNECTION_BYTES + limits.SERVE_TLS_BYTES
    assert admission.come(has_tls=False)
    assert admission.come()
    admission.go(has_tls=False)
    admission.go()
    admission.disconnect()
    assert admission.bytes_held() == handshakes


def test_no_room_for_tls(budget):
    """A budget in which no handshakes fit is told where the server starts, and keeps nothing."""
    with pytest.raises(errors.BudgetExceeded):
        Admission(budget, is_tls=True)
    assert budget.held == 0


def test_messages_that_arrive(budget, monkeypatch):
    """All messages under way together have a bound."""
    monkeypatch.setattr(limits, "SERVE_RECEIVING_BYTES", 100_000)
    admission = Admission(budget, is_tls=False)
    admission.receive(60_000)
    with pytest.raises(Refusal, match="at once"):
        admission.receive(60_000)
    admission.receive(40_000)
    assert admission.receiving == 100_000


def test_descriptors(budget):
    """Connections leave descriptors of the process to the database: half of them, where there are few."""
    admission = Admission(budget, is_tls=False, files_max=20)
    for _ in range(9):
        admission.connect()
    assert admission.come()
    assert not admission.come()
    admission.go()
    admission.connect()
    with pytest.raises(Refusal):
        admission.connect()


def test_heads_under_way(budget):
    """All heads of requests under way together have a bound."""
    admission = Admission(Budget("64 MiB", name="test"), is_tls=False)
    assert admission.head(limits.SERVE_HEADS_BYTES)
    assert not admission.head(1)
    assert admission.head(-limits.SERVE_HEADS_BYTES)
    assert admission.bytes_held() == 0
