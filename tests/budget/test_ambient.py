import contextvars

import flatwater as fw
from flatwater.budget import ambient


def test_the_same_budget_may_be_entered_twice():
    """Leaving takes one entry out, the innermost."""
    budget = fw.Budget(100)
    with budget, budget:
        assert ambient.current() is budget
    assert ambient.current() is None


def test_blocks_left_in_another_order():
    """Generators may leave their blocks crosswise: what is still open stays."""
    one, two = fw.Budget(1, name="one"), fw.Budget(1, name="two")

    def block(budget):
        with budget:
            yield

    first, second = block(one), block(two)
    next(first)
    next(second)
    first.close()
    assert ambient.current() is two
    second.close()
    assert ambient.current() is None


def test_leaving_in_another_context_changes_nothing_there():
    """A block left where it was not entered leaves that context's own budget alone."""
    one, two = fw.Budget(1, name="one"), fw.Budget(1, name="two")
    with one:
        contextvars.Context().run(lambda: (ambient.enter(two), ambient.leave(one), ambient.current()))
        ambient.leave(two)
        assert ambient.current() is one
