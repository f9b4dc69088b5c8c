"""Stop sequences cut an answer on this side, wherever the pieces are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aider_stackspot.pipeline.channel import StopSequences


def cut(sequences: list[str], *pieces: str) -> tuple[str, bool]:
    stop = StopSequences(sequences)
    text = "".join(stop.feed(piece) for piece in pieces) + stop.finish()
    return text, stop.stopped_at is not None


def test_the_answer_ends_before_the_sequence() -> None:
    assert cut(["END"], "one E", "N", "D two") == ("one ", True)


def test_the_first_of_several_wins() -> None:
    assert cut(["b", "a"], "xxabxx") == ("xx", True)


def test_one_that_is_complete_wins_over_one_that_began_before_it() -> None:
    assert cut(["b", "aba"], "xxaba") == cut(["b", "aba"], "xxa", "b", "a") == ("xxa", True)


def test_of_two_that_end_together_the_longer_one_wins() -> None:
    assert cut(["b", "ab"], "xxab") == ("xx", True)


def test_what_only_looked_like_a_beginning_is_not_lost() -> None:
    assert cut(["END"], "one E", "NTIRE", " EN") == ("one ENTIRE EN", False)


def test_text_goes_out_at_once_where_it_cannot_be_a_beginning() -> None:
    assert StopSequences(["END"]).feed("hello") == "hello"


def test_without_sequences_nothing_is_held_back() -> None:
    assert StopSequences([""]).feed("hello") == "hello"


@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=3), st.lists(st.text("abc", max_size=4), max_size=6))
def test_cuts_make_no_difference(sequences: list[str], pieces: list[str]) -> None:
    assert cut(sequences, *pieces) == cut(sequences, "".join(pieces))


def test_it_is_told_which_one_ended_the_answer() -> None:
    stop = StopSequences(["b", "ab"])
    stop.feed("xxab")
    assert stop.stopped_at == "ab"
