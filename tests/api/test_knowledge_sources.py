"""Knowledge sources in an answer, in every form that was seen (docs/wire.md, "Agents API: whole answer")."""

from __future__ import annotations

from typing import Any

import pytest

from aider_stackspot.api.answer import KnowledgeSource
from aider_stackspot.api.stackspot_answer import MAX_SOURCES, KnowledgeSources

OBJECT = {
    "type": "knowledge_source",
    "name": "Wiki",
    "slug": "wiki",
    "document_score": 0.5,
    "document_id": "d",
    "id": "k",
}
READ = KnowledgeSource("k", "Wiki", 0.5)


def found(*frames: dict[str, Any]) -> tuple[KnowledgeSource, ...]:
    sources = KnowledgeSources()
    for frame in frames:
        sources.add(frame)
    return sources.found


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([{"source": [], "cross_account_source": [], "knowledge_source_id": []}], ()),
        ([{"source": [OBJECT]}], (READ,)),
        ([{"cross_account_source": [OBJECT]}], (READ,)),
        ([{"knowledge_source_id": ["k"]}], (KnowledgeSource("k"),)),
        ([{"knowledge_source_id": ["k"], "source": [OBJECT]}], (READ,)),
        ([{"knowledge_source_id": ["k"]}, {"source": [OBJECT]}], (READ,)),
        ([{"source": [OBJECT]}, {"source": [{**OBJECT, "document_score": 0.9}]}], (KnowledgeSource("k", "Wiki", 0.9),)),
        ([{"source": ["Wiki", "Guide"]}], (KnowledgeSource(name="Wiki"), KnowledgeSource(name="Guide"))),
        ([{"source": [{"slug": "wiki", "score": "0.25"}]}], (KnowledgeSource(None, "wiki", 0.25),)),
        ([{"source": [{"id": "k", "document_score": True}]}], (KnowledgeSource("k"),)),
        ([{"source": "Wiki"}, {"source": None}, {"source": [None, 7, "", " ", {}, {"id": 7}, []]}], ()),
        ([{"source": ["\ud800x"]}], (KnowledgeSource(name="\ufffdx"),)),
    ],
)
def test_they_are_read(frames: list[dict[str, Any]], expected: tuple[KnowledgeSource, ...]) -> None:
    assert found(*frames) == expected


def test_there_are_no_more_than_somebody_reads() -> None:
    assert len(found({"source": [f"{number}" for number in range(1000)]})) == MAX_SOURCES


@pytest.mark.parametrize("score", [float("nan"), float("inf"), "nan", 10**400])
def test_a_score_is_a_number(score: Any) -> None:
    assert found({"source": [{"id": "k", "score": score}]}) == (KnowledgeSource("k"),)
