"""What one call asks, of whom, and for how long: everything decided, nothing sent yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from aider_stackspot.api.answer import AnswerParser, ApiRequest
from aider_stackspot.api.error_response import Service
from aider_stackspot.config.settings import MAX_RETRIES, TOTAL_TIMEOUT, Network
from aider_stackspot.errors import StackSpotError
from aider_stackspot.network.tokens import Credentials
from aider_stackspot.pipeline.attachments import Attachment

T = TypeVar("T")


@dataclass(frozen=True)
class Destination:
    """A server, and as whom it is spoken to: what all calls to it have in common.

    Attributes:
        base_url: where its API begins.
        network: how it is reached.
        service: what messages call it, and what they advise.
        credentials: for a bearer token of its own; `None` where a header of `headers`, or nothing, authenticates.
        headers: for every request.
        account: who asks, for messages about a refusal; empty where that tells nothing.
        rpm: requests a minute for all calls of this account, `None` for no limit.
        rate_key: what those calls have in common; a rotated key does not give an account a new minute.
    """

    base_url: str
    network: Network
    service: Service
    credentials: Credentials | None = None
    headers: Mapping[str, SecretStr] = field(default_factory=dict, repr=False)
    account: str = ""
    rpm: int | None = None
    rate_key: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.base_url).hostname or "the host"

    def secrets(self) -> list[str]:
        """Return every text that must not stand in a message: keys, headers, and what a proxy is shown."""
        network = self.network
        proxies = [proxy.get_secret_value() for proxy in (network.proxy, *(url for _, url in network.proxies)) if proxy]
        users = [proxy.rpartition("@")[0].rpartition("/")[2] for proxy in proxies]
        users += [unquote(user) for user in users]  # in base64, this is what the proxy is shown
        passwords = [user.partition(":")[2] for user in users]
        headers = [header.get_secret_value() for header in self.headers.values()]
        tokens = [header.partition(" ")[2] for header in headers]
        own = self.credentials.secrets if self.credentials is not None else ()
        return [*own, *headers, *tokens, *proxies, *users, *passwords]


@dataclass(frozen=True)
class Uploads:
    """The files of a call.

    Attributes:
        base_url: where the API for uploads begins.
        files: each content once.
        named_in: makes the complete request of the ids of the uploaded files, in the order of `files`.
    """

    base_url: str
    files: Sequence[Attachment]
    named_in: Callable[[Sequence[str]], ApiRequest]


@dataclass(frozen=True)
class Call(Generic[T]):
    """Everything about one call. What the caller gave as an argument is in here already, defaults included.

    Attributes:
        name: the model's public name with its provider in front, for the log and the record of usage.
        api: which API serves it, for the log.
        destination: where it goes.
        request: what is sent.
        new_parser: makes a reader for each attempt's answer.
        join: makes one piece of several of the answer.
        what: what is called, for messages ("agent `01ABC`").
        quick_command: the command's slug, where the request creates an execution that has to be polled.
        prompt_characters: how long the prompt is, for an estimate where the service counts no tokens.
        timeout: total seconds, retries included; infinite for no limit.
        idle_timeout: seconds without a byte, where the user chose none; `None` for the usual ones.
        max_retries: of an attempt that brought nothing yet.
        uploads: the files that the request names; until they are uploaded it is not complete.
        record: the directory of the record of usage; `None` for none.
        learn_limit: is told how many tokens fit, where a refusal of a longer prompt says so.
        corrected: makes another request of one that was refused, where the refusal tells how; it is sent once.
    """

    name: str
    api: str
    destination: Destination
    request: ApiRequest
    new_parser: Callable[[], AnswerParser[T]]
    join: Callable[[Sequence[T]], T]
    what: str = ""
    quick_command: str | None = None
    prompt_characters: int = 0
    timeout: float = TOTAL_TIMEOUT
    idle_timeout: float | None = None
    max_retries: int = MAX_RETRIES
    uploads: Uploads | None = None
    record: Path | None = None
    learn_limit: Callable[[int], None] | None = None
    corrected: Callable[[ApiRequest, StackSpotError], ApiRequest | None] | None = None

    @cached_property
    def where(self) -> str:
        """What was called, for a message about its answer."""
        account = f" ({self.destination.account})" if self.destination.account else ""
        return f"{self.what or self.destination.host}{account}"
