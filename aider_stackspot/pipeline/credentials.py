"""What the tokens of a StackSpot account are asked for with."""

from __future__ import annotations

from pydantic import SecretStr

from aider_stackspot.api.stackspot_service import token_endpoint, token_url
from aider_stackspot.config import Account
from aider_stackspot.config.system_keyring import KEYRING
from aider_stackspot.network.client_credentials import ClientCredentials


def credentials_of(account: Account, client_key: str | None = None) -> ClientCredentials:
    """Return what an account's tokens are asked for with.

    Args:
        account: the account.
        client_key: replaces the configured one for this call.

    Raises:
        MissingCredentials: the client id or the client key was found nowhere.
    """
    if client_key and account.client_id:
        client_id, key = account.client_id, SecretStr(client_key.strip())
    else:
        client_id, key = account.credentials()
    issuer = token_endpoint(_what_to_check(account), account.named("client_realm"))
    url = token_url(account.auth_url, account.realm)
    return ClientCredentials(
        url, client_id, key, issuer, account=f"realm `{account.realm}`", refused=account.forget_stored_key
    )


def _what_to_check(account: Account) -> str:
    """Return what the user is to do where an account's credentials are refused."""
    id_from, key_from = account.place("client_id"), account.place("api_key")
    if id_from != key_from and KEYRING not in (id_from, key_from):
        return f"Do they belong together? The client id is from {id_from}, the client key from {key_from}."
    return "Check {}, {} and {}.".format(*map(account.named, ("client_id", "api_key", "client_realm")))
