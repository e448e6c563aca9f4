"""Work in pieces: goes on where it stopped, ends once, and is dropped when nobody asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from cnncore.analysis.scans import Piece, Scans, Work
from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.questions import looking
from cnncore.questions.looking import SubjectRequest, in_pieces


def counting(steps: int, log: list[str], name: str = "") -> Callable[[], Work[str]]:
    def work() -> Work[str]:
        log.append(f"begun {name}")
        try:
            for step in range(steps):
                yield step + 1, steps
        finally:
            log.append(f"ended {name}")
        return f"result {name}"

    return work


def test_with_no_time_one_step_is_done_and_the_next_question_goes_on() -> None:
    log: list[str] = []
    scans, start = Scans(), counting(3, log)
    pieces = [scans.advance("a", start, budget_s=0) for _ in range(4)]
    assert [(piece.done, piece.total, piece.result) for piece in pieces[:3]] == [
        (1, 3, None),
        (2, 3, None),
        (3, 3, None),
    ]
    assert pieces[3] == Piece(done=1, total=1, result="result ")
    assert log == ["begun ", "ended "]
    assert scans.advance("a", start, budget_s=0).done == 1, "what has ended begins anew"


def test_with_time_it_is_done_at_once() -> None:
    assert Scans().advance("a", counting(1_000, []), budget_s=60).result == "result "


def test_a_piece_ends_soon_after_its_time() -> None:
    def slow() -> Work[str]:
        for step in range(100):
            time.sleep(0.01)
            yield step, 100
        return "done"

    begin = time.monotonic()
    piece = Scans().advance("a", slow, budget_s=0.05)
    assert piece.result is None
    assert time.monotonic() - begin < 0.5
    assert piece.done >= 1


def test_works_go_on_side_by_side_and_the_one_not_asked_for_longest_is_dropped() -> None:
    log: list[str] = []
    scans = Scans(most=2)
    for name in ("a", "b", "a", "c"):
        scans.advance(name, counting(9, log, name), budget_s=0)
    assert log == ["begun a", "begun b", "begun c", "ended b"]
    assert scans.advance("a", counting(9, log, "a"), budget_s=0).done == 3
    assert scans.advance("b", counting(9, log, "b"), budget_s=0).done == 1


def test_a_work_that_fails_tells_why_and_is_forgotten() -> None:
    def failing() -> Work[str]:
        yield 1, 2
        raise DataError("The images are gone.", "Bring them back.")

    scans = Scans()
    assert scans.advance("a", failing, budget_s=0).result is None
    with pytest.raises(DataError, match="The images are gone"):
        scans.advance("a", failing, budget_s=0)
    assert scans.advance("a", failing, budget_s=0).done == 1


class Hurried:
    """Scans whose questions do a single step."""

    def __init__(self) -> None:
        self._scans = Scans()

    def advance(self, key: str, start: Callable[[], Work[str]]) -> Piece[str]:
        return self._scans.advance(key, start, budget_s=0)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SCANS", Hurried())


@pytest.mark.parametrize(("stamp", "lasts"), [("7 8", True), ("", False)])
def test_an_answer_in_pieces_lasts_only_when_whole_and_of_known_weights(stamp: str, lasts: bool) -> None:
    request = SubjectRequest(network="untrained:resnet20", stamp=stamp)
    answers = [in_pieces("test", request, counting(2, []), lambda text: Answer({"text": text})) for _ in range(3)]
    facts: list[dict[str, Any]] = [answer.data for answer in answers]
    assert facts == [
        {"pending": True, "done": 1, "total": 2},
        {"pending": True, "done": 2, "total": 2},
        {"pending": False, "text": "result "},
    ]
    assert [answer.lasting for answer in answers] == [False, False, lasts]


def test_other_weights_are_another_work() -> None:
    def piece(stamp: str) -> dict[str, Any]:
        request = SubjectRequest(network="untrained:resnet20", stamp=stamp)
        return in_pieces("test", request, counting(5, []), lambda text: Answer({"text": text})).data

    assert [piece(stamp)["done"] for stamp in ("a", "a", "b", "a")] == [1, 2, 1, 3]
