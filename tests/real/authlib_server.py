"""An authorization server on authlib and Flask: `python authlib_server.py PORT METHOD SECONDS`.

It knows one client, which must show its secret by METHOD (`client_secret_post` or `client_secret_basic`), and gives it
tokens that live SECONDS. `/introspect` says whether a token holds; `/count` how many were given out.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from flask import Flask, Response, jsonify, request

PORT, METHOD, SECONDS = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
SECRET = "s3cret+/ of the client"
tokens: dict[str, float] = {}


class Client(ClientMixin):  # type: ignore[misc]
    """The one client."""

    client_id = "corp client"

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(word for word in (scope or "").split() if word == "chat")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == METHOD

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class Grant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """The grant, with both methods known."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


def save(token: dict[str, Any], _request: object) -> None:
    """Remember a token."""
    tokens[token["access_token"]] = time.monotonic() + SECONDS


app = Flask(__name__)
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": SECONDS}
server = AuthorizationServer(
    app, query_client=lambda name: Client() if name == Client.client_id else None, save_token=save
)
server.register_grant(Grant)


@app.post("/token")  # type: ignore[untyped-decorator]
def token() -> Response:
    """Answer a token request."""
    answer: Response = server.create_token_response()
    return answer


@app.post("/introspect")  # type: ignore[untyped-decorator]
def introspect() -> Response:
    """Tell whether a token holds."""
    return jsonify(active=time.monotonic() < tokens.get(request.form["token"], 0.0))


@app.get("/count")  # type: ignore[untyped-decorator]
def count() -> Response:
    """Tell how many tokens were given out."""
    return jsonify(len(tokens))


app.run("127.0.0.1", PORT, threaded=True)
