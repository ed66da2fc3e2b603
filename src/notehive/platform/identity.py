"""The directory or the provider that people log in with: its files, and whether it answers."""

import json
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any

from notehive.errors import BadInput
from notehive.hub.providers import ldap_port, provider
from notehive.platform import files, site
from notehive.settings import Auth, Ldap, OAuth, Settings

SECONDS = 10
# What a client says before TLS on the plain port: message 1, an extended request, with the
# object identifier of StartTLS. The answer carries its result code, 0 for success, at the end
# of these bytes.
START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
STARTED = bytes.fromhex("0a0100")


def secret(auth: Auth) -> str:
    """Give what the hub shows to the server, without the newline at its end; empty for nothing."""
    key, path = auth.password_file
    return files.read_line(key, path) if path else ""


def certificates(auth: Auth) -> str:
    """Give the certificates that vouch for the server; empty for those that images trust."""
    if auth.server is None or not auth.server.ca_file:
        return ""
    key = f"auth.{auth.kind}.ca_file"
    return files.read_pem(key, auth.server.ca_file, "certificate").decode()


def require_usable(settings: Settings) -> str:
    """Say what people log in with; raise BadInput if it does not answer or is not trusted."""
    auth = settings.auth
    if auth.server is None:
        return "accounts of its own"
    secret(auth)
    trusted = certificates(auth) or site.ca_bundle(settings).decode(errors="replace")
    context = ssl.create_default_context(cadata=trusted)
    # As the hub's newer Python has it: authorities have to say what they are for.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if isinstance(auth.server, Ldap):
        return _require_directory(auth.server, context)
    return _require_provider(auth.server, context)


def _require_directory(ldap: Ldap, context: ssl.SSLContext) -> str:
    port = ldap_port(ldap)
    place = f"auth.ldap: {ldap.server}:{port}"
    try:
        with socket.create_connection((ldap.server, port), SECONDS) as connection:
            if ldap.tls == "start":
                connection.sendall(START_TLS)
                if STARTED not in connection.recv(4096):
                    raise BadInput(f"{place}: does not begin TLS; is `tls: on` what it has?")
            if ldap.tls != "off":
                context.wrap_socket(connection, server_hostname=ldap.server).close()
    except ssl.SSLCertVerificationError as error:
        raise BadInput(
            f"{place}: its certificate is not trusted ({error.verify_message}); name what vouches "
            "for it with ca_file:, and the server as its certificate does"
        ) from None
    except ssl.SSLError as error:
        raise BadInput(f"{place}: no TLS ({error.reason}); check port: and tls:") from None
    except OSError as error:
        raise BadInput(
            f"{place}: {error.strerror or error}; check server: and port:, and that it runs"
        ) from None
    return f"LDAP, {ldap.server}:{port}"


def _require_provider(oauth: OAuth, context: ssl.SSLContext) -> str:
    address = provider(oauth).url
    if oauth.provider == "github":
        return f"OAuth, {address}"  # it does not describe itself
    place = f"auth.oauth: {address}"
    try:
        with urllib.request.urlopen(  # noqa: S310 - https, by the settings
            f"{address}/.well-known/openid-configuration", timeout=SECONDS, context=context
        ) as answer:
            found: Any = json.load(answer)
    except urllib.error.HTTPError as error:
        raise BadInput(
            f"{place}: no OpenID provider is there (answer {error.code}); check url:"
        ) from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise BadInput(f"{place}: {why}; check url:, and ca_file: for its certificate") from None
    except ValueError:
        raise BadInput(f"{place}: no OpenID provider is there; check url:") from None
    issuer = str(found.get("issuer", "")) if isinstance(found, dict) else ""
    if issuer.removesuffix("/") != address:
        raise BadInput(f"{place}: calls itself {issuer or 'nothing'}; write that as url:")
    return f"OAuth, {address}"
