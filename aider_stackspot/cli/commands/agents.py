"""`aider-stackspot agents`."""

from __future__ import annotations

from typing import Annotated

import typer

from aider_stackspot.cli.overview import MODEL

AccountName = Annotated[str, typer.Option("--account", help="The account, by its name in the file.", metavar="NAME")]
AgentId = Annotated[str, typer.Argument(help="The agent's id; its page in the portal has it.", metavar="ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def list_command(
    search: Annotated[
        str | None, typer.Option(help="Only agents with this in name, id or model.", metavar="TEXT")
    ] = None,
    account: AccountName = "stackspot",
    as_json: AsJson = False,
) -> None:
    """List all agents that StackSpot shows to this credential.

    Each can be used at once, without a line in a file: `aider --model stackspot/agent/ID`.

    Examples:
        aider-stackspot agents list
        aider-stackspot agents list --search review --json
    """
    from aider_stackspot.cli.agents import print_agents

    print_agents(search, account, as_json=as_json)


def show(agent_id: AgentId, account: AccountName = "stackspot", as_json: AsJson = False) -> None:
    """Show what is known of one agent: its language model, knowledge sources, planner, limits.

    StackSpot may not tell everything. The input limit is the one that aider uses; its source is shown beside it.

    Examples:
        aider-stackspot agents show 01ARZ3NDEKTSV4RRFFQ69G5FAV
    """
    from aider_stackspot.cli.agents import print_agent

    print_agent(agent_id, account, as_json=as_json)


def use(
    agent_id: AgentId,
    name: Annotated[
        str, typer.Option("--as", help="The model that it answers for; a new name is fine.", metavar="NAME")
    ] = MODEL,
    account: AccountName = "stackspot",
) -> None:
    """Let an agent answer for a model: writes its id into your configuration file, and changes nothing else there.

    The file is the one that already has the account, or else `.aider.litellm.yml` in your home directory.

    Examples:
        aider-stackspot agents use 01ARZ3NDEKTSV4RRFFQ69G5FAV
        aider-stackspot agents use 01ARZ3NDEKTSV4RRFFQ69G5FAV --as reviewer
    """
    from aider_stackspot.cli.agents import let_answer

    let_answer(agent_id, name, account)


def measure(agent_id: AgentId, account: AccountName = "stackspot", as_json: AsJson = False) -> None:
    """Find out how much an agent takes, and how fast it answers.

    It sends one prompt that is longer than any language model takes. StackSpot refuses it before a model runs, and
    names the limit. The limit is remembered, so that aider can send more of the chat and of the repository. Then the
    command asks for one word and measures the time to the first text; that call counts against your quota as any other.

    Examples:
        aider-stackspot agents measure 01ARZ3NDEKTSV4RRFFQ69G5FAV
    """
    from aider_stackspot.cli.agents import print_measured

    print_measured(agent_id, account, as_json=as_json)


agents = {"list": list_command, "show": show, "use": use, "measure": measure}
"""The commands of the group."""
