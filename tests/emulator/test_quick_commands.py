"""Remote quick commands of the emulator: created, polled, finished or not (docs/wire.md, "Quick commands")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from aider_stackspot.emulator import Emulator, Fault, QuickCommand, Rule, Script
from tests.emulator.client import CONVERSATION, Client

CREATE = "/v1/quick-commands/create-execution/review"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(script=Script([Rule("poem", "roses")], "ok")) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator) as client:
        yield client.login()


def create(client: Client, **fields: Any) -> str:
    return str(client.post(CREATE, json={"input_data": "do it", **fields}).json())


def poll(client: Client, execution: str) -> dict[str, Any]:
    body = client.get(f"/v1/quick-commands/callback/{execution}", params={"nocache": "1"}).json()
    assert isinstance(body, dict)
    return body


def test_an_execution_runs_until_it_is_completed(emulator: Emulator, client: Client) -> None:
    emulator.quick_command = QuickCommand(polls=3)
    execution = create(client, execution_tag="mine")
    assert len(execution) == 26
    polls = [poll(client, execution) for _ in range(5)]
    progress = [(body["progress"]["status"], body["progress"]["execution_percentage"]) for body in polls]
    assert [status for status, _ in progress] == ["CREATED", "RUNNING", "RUNNING", "COMPLETED", "COMPLETED"]
    assert [share for _, share in progress] == sorted(share for _, share in progress)
    assert (polls[0]["result"], polls[0]["steps"], polls[0]["progress"]["end"]) == (None, [], None)
    last = polls[-1]
    assert (last["result"], last["quick_command_slug"], last["execution_tag"]) == ("ok", "review", "mine")
    assert last["steps"][0]["step_result"]["answer"] == "ok"
    assert last["progress"]["end"] >= last["progress"]["start"]


@pytest.mark.parametrize("outcome", ["FAILURE", "FAILED"])
def test_an_execution_may_fail(emulator: Emulator, client: Client, outcome: Any) -> None:
    emulator.quick_command = QuickCommand(polls=1, outcome=outcome)
    execution = create(client)
    assert poll(client, execution)["progress"]["status"] == "CREATED"
    body = poll(client, execution)
    assert (body["progress"]["status"], body["result"]) == (outcome, None)


def test_an_execution_may_be_stuck(emulator: Emulator, client: Client) -> None:
    emulator.quick_command = QuickCommand(polls=0, outcome="stuck")
    execution = create(client)
    assert {poll(client, execution)["progress"]["status"] for _ in range(5)} == {"CREATED"}


@pytest.mark.parametrize("shape", ["id", "execution_id"])
def test_the_id_may_come_in_an_object(emulator: Emulator, client: Client, shape: Any) -> None:
    emulator.quick_command = QuickCommand(polls=0, created_as=shape)
    execution = client.post(CREATE, json={"input_data": {"a": 1}}).json()[shape]
    assert poll(client, execution)["result"] == "ok"


@pytest.mark.parametrize("execution", ["211e9ace-aaae-4104-9174-c5eabb3abf58", "a-b_c.d", "exec/1 é?x=1"])
def test_the_id_may_be_any_text(emulator: Emulator, client: Client, execution: str) -> None:
    emulator.quick_command = QuickCommand(polls=0, new_id=lambda: execution)
    assert create(client) == execution
    assert poll(client, quote(execution, safe=""))["execution_id"] == execution


def test_the_script_reads_the_input(emulator: Emulator, client: Client) -> None:
    emulator.quick_command = QuickCommand(polls=0)
    assert poll(client, create(client, input_data={"text": "a poem"}))["result"] == "roses"
    assert emulator.requests_of("quick-command")[0].prompt == '{"text": "a poem"}'


def test_the_conversation_comes_from_the_query(client: Client) -> None:
    execution = client.post(f"{CREATE}?conversationId={CONVERSATION}", json={"input_data": "x"}).json()
    assert poll(client, execution)["conversation_id"] == CONVERSATION


def test_what_does_not_exist_is_not_found(emulator: Emulator, client: Client) -> None:
    emulator.quick_command = QuickCommand(slugs=frozenset({"other"}))
    assert client.post(CREATE, json={"input_data": "x"}).status_code == 404
    assert client.get("/v1/quick-commands/callback/unknown").status_code == 404
    assert client.get("/v1/quick-commands/all").status_code == 404


def test_unknown_fields_are_refused(client: Client) -> None:
    assert client.post(CREATE, json={"input_data": "x", "temperature": 0}).status_code == 422
    assert client.post(CREATE, json={}).status_code == 422


def test_faults_and_limits_have_the_hosts_own_codes(emulator: Emulator, client: Client) -> None:
    emulator.fail("quick-command", Fault.status(429))
    emulator.fail("quick-command-callback", Fault.status(500))
    code = client.post(CREATE, json={"input_data": "x"}).json()["code"]
    assert code == "CODEBUDDY_1044_QUICK_COMMAND_RATE_LIMIT_EXCEEDED"
    assert client.get("/v1/quick-commands/callback/x").json()["code"] == "CODEBUDDY_0001"
    client.headers["Authorization"] = "Bearer none"
    assert client.post(CREATE, json={"input_data": "x"}).status_code == 401
