"""Undoing goes back step by step, and forth again until something new is done."""

from __future__ import annotations

from cnncore.images.edits import AddClass, Edit, Undo
from cnncore.images.history import Version
from cnncore.images.undoing import Step, steps

A, B, C = (AddClass(name=name) for name in "abc")


def after(*edits: Edit) -> tuple[Step | None, Step | None]:
    return steps([Version(at=0.0, edits=(edit,)) for edit in edits])


def test_nothing_can_be_undone_at_first() -> None:
    assert after() == (None, None)


def test_the_last_change_is_undone_first() -> None:
    assert after(A, B) == (Step(1, (B,)), None)


def test_several_steps_back_and_forth() -> None:
    assert after(A, B, Undo(to=1)) == (Step(0, (A,)), Step(2, (B,)))
    assert after(A, B, Undo(to=1), Undo(to=0)) == (None, Step(1, (A,)))
    assert after(A, B, Undo(to=1), Undo(to=0), Undo(to=1)) == (Step(0, (A,)), Step(2, (B,)))
    assert after(A, B, Undo(to=1), Undo(to=0), Undo(to=1), Undo(to=2)) == (Step(1, (B,)), None)


def test_undoing_an_undo_by_its_version_is_doing_it_again() -> None:
    # What `ImageSets.undo` does without a target.
    assert after(A, B, Undo(to=1), Undo(to=2)) == (Step(1, (B,)), None)
    assert after(A, B, Undo(to=1), Undo(to=2), Undo(to=3)) == (Step(0, (A,)), Step(2, (B,)))


def test_something_new_ends_what_could_be_done_again() -> None:
    assert after(A, B, Undo(to=1), C) == (Step(1, (C,)), None)


def test_a_jump_far_back_can_be_taken_forth_step_by_step() -> None:
    assert after(A, B, C, Undo(to=0)) == (None, Step(1, (A,)))


def test_a_version_that_had_been_left_is_a_change_like_any_other() -> None:
    # B was undone and C done instead; returning to B can be taken back.
    assert after(A, B, Undo(to=1), C, Undo(to=2)) == (Step(4, (B,)), None)
