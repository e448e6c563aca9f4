"""Work in pieces: it goes on, is done once, makes room when forsaken, and many at once all come to an end."""

from __future__ import annotations

import pytest

from cnncore.analysis.scans import Scans, Work, finished

STEPS = 5


class Counted:
    """Works that count their steps, and how many were begun and closed."""

    def __init__(self) -> None:
        self.begun = 0
        self.closed = 0

    def work(self, steps: int = STEPS) -> Work[str]:
        self.begun += 1
        try:
            for step in range(1, steps + 1):
                yield step, steps
        except GeneratorExit:
            self.closed += 1
            raise
        return "done"


def test_each_question_does_a_piece_until_the_result_is_there() -> None:
    counted, scans = Counted(), Scans()
    pieces = [scans.advance("a", counted.work, budget_s=0) for _ in range(STEPS + 1)]
    assert [(piece.done, piece.total, piece.result) for piece in pieces] == [
        *((step, STEPS, None) for step in range(1, STEPS + 1)),
        (1, 1, "done"),
    ]
    assert counted.begun == 1
    assert Scans().advance("a", counted.work).result == finished(counted.work()) == "done"


@pytest.mark.parametrize("visitors", [3, 4, 10])
def test_many_works_at_once_all_come_to_an_end(visitors: int) -> None:
    counted, scans = Counted(), Scans(most=3)
    left = {str(visitor) for visitor in range(visitors)}
    for _ in range(20 * STEPS):
        left -= {key for key in sorted(left) if scans.advance(key, counted.work, budget_s=0).result}
    assert not left
    # Each that has to wait was begun once to see that it is long.
    assert counted.begun <= 2 * visitors


def test_a_short_work_need_not_wait() -> None:
    counted, scans = Counted(), Scans(most=1)
    assert scans.advance("long", counted.work, budget_s=0).result is None
    assert scans.advance("short", lambda: counted.work(0), budget_s=0).result == "done"
    assert scans.advance("long", counted.work, budget_s=1).result == "done"


def test_a_work_that_nobody_asks_for_makes_room() -> None:
    counted, scans = Counted(), Scans(most=1, forsaken_s=0)
    for key in "abc":
        assert scans.advance(key, counted.work, budget_s=0).done == 1
    assert (counted.begun, counted.closed) == (3, 2)


def test_what_goes_wrong_ends_the_work() -> None:
    scans = Scans()

    def failing() -> Work[str]:
        yield 1, 2
        raise ZeroDivisionError

    assert scans.advance("a", failing, budget_s=0).done == 1
    with pytest.raises(ZeroDivisionError):
        scans.advance("a", failing)
    assert scans.advance("a", failing, budget_s=0).done == 1
