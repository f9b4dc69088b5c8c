"""StackSpot's token endpoint: its URL, and advice for each refusal."""

from __future__ import annotations

import pytest

from aider_stackspot.api.stackspot_service import token_endpoint, token_url

CHECK = "Check the id and THE_KEY."
ADVICE = token_endpoint(CHECK, "`the_realm`").advice


@pytest.mark.parametrize(
    ("realm", "path"),
    [
        ("stackspot", "stackspot"),
        ("my realm", "my%20realm"),
        ("a/b", "a%2Fb"),
        ("é?#", "%C3%A9%3F%23"),
    ],
)
def test_the_realm_is_one_part_of_the_path(realm: str, path: str) -> None:
    assert token_url("https://idm.example", realm) == f"https://idm.example/{path}/oidc/oauth/token"


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 422])
def test_a_refusal_says_what_to_check(status: int) -> None:
    realm = "There is no such realm: set `the_realm` to the account's slug, or to `stackspot-freemium`."
    assert ADVICE[status] == (realm if status == 404 else CHECK)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_points_to_the_url(status: int) -> None:
    assert "STACKSPOTAI_AUTH_URL" in ADVICE[status]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_is_no_refusal_does_not_blame_the_credentials(status: int) -> None:
    assert "THE_KEY" not in ADVICE.get(status, "")
