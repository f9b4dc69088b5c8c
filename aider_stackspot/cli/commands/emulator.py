"""`aider-stackspot emulator`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _list_names(wanted: bool) -> None:
    if not wanted:
        return
    from aider_stackspot.cli.emulator import print_names

    print_names()
    raise typer.Exit


def emulator(
    port: Annotated[
        int, typer.Option(help="TCP port on 127.0.0.1; 0 takes a free one.", min=0, max=65535, metavar="PORT")
    ] = 0,
    script: Annotated[
        Path | None, typer.Option(help="YAML file with rules: what to answer to which prompt.", dir_okay=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What answers when no rule matches; see --list.", metavar="NAME")
    ] = None,
    style: Annotated[str, typer.Option(help="How streams are written; see --list.", metavar="NAME")] = "default",
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What goes wrong; may be repeated; see --list.", metavar="NAME[:ARG]"),
    ] = None,
    fault_times: Annotated[
        int | None, typer.Option(help="How many requests meet each fault; all when not given.", min=1, metavar="N")
    ] = None,
    token_lifetime: Annotated[float, typer.Option(help="Seconds a token is valid.", min=0, metavar="S")] = 1200,
    rate_limit: Annotated[
        int | None, typer.Option(help="Calls a minute before 429; no limit when not given.", min=0, metavar="N")
    ] = None,
    input_limit: Annotated[
        int | None,
        typer.Option(
            help="Tokens a prompt may have before it is refused; no limit when not given.", min=1, metavar="N"
        ),
    ] = None,
    latency: Annotated[
        float, typer.Option(help="Milliseconds before the first byte of an answer.", min=0, metavar="MS")
    ] = 0,
    json_log: Annotated[bool, typer.Option("--json-log", help="Log JSON, one object a line.")] = False,
    list_names: Annotated[
        bool,
        typer.Option(
            "--list", help="Print the models, styles and faults, then exit.", is_eager=True, callback=_list_names
        ),
    ] = False,
) -> None:
    """Run a StackSpot on this machine, without an account.

    It sends tokens, streams and errors like the real one. Its model only follows a script: it greets, and puts a
    comment into a file that aider asks it to edit. With `--model agent` it also uses the tools of agent programs: it
    writes a small program, reads it, changes it and runs it.

    It prints the environment variables that point aider-stackspot at it, then logs each request on stderr. Ctrl-C or
    SIGTERM ends it with exit status 0.

    A script is YAML, and the first rule whose match is found in the prompt wins:

    {rules: [{match: hi, answer: Hello, times: 1}, {match: x, style: slow, fault: "cut-after:3"}], default: Ok}

    Examples:
        aider-stackspot emulator --port 8765 --model agent --input-limit 20000
        aider-stackspot emulator --script answers.yml --style slow
        aider-stackspot emulator --fault status:503 --fault-times 2
    """
    from aider_stackspot.cli.emulator import run_emulator

    run_emulator(
        port=port,
        script=script,
        model=model,
        style=style,
        faults=fault or [],
        fault_times=fault_times,
        token_lifetime=token_lifetime,
        rate_limit=rate_limit,
        input_limit=input_limit,
        latency=latency,
        json_log=json_log,
    )
