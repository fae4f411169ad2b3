"""`make token` while the platform runs: asks the issuer over the socket that only the keys' owner can reach.

Run as a file, and with nothing imported that costs milliseconds: README's walk asks for a token at each request. While
no issuer answers, `python -m council_local token` makes the token from the key itself.
"""
# pathlib takes longer to import than the answer takes to come.
# ruff: noqa: PTH111, PTH118, PTH123

import os
import socket
import sys

CHECKOUT = os.path.realpath(__file__).rsplit(os.sep, 5)[0]
# In `.data/keys`, a folder that is its owner's alone.
SOCKET = "token.sock"
ANSWER_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    role, name = arguments[0], (arguments[1] if len(arguments) > 1 else "")
    try:
        answer = ask(keys_folder(dict(os.environ)), f"{role}\n{name}\n")
    except OSError:
        named = ["--name", name] if name else []
        command = [sys.executable, "-m", "council_local", "token", "--role", role, *named]
        os.execv(sys.executable, command)  # noqa: S606 - ourselves, by another door
    token, _, refusal = answer.partition("\n")
    print(refusal or token, file=sys.stderr if refusal else sys.stdout)
    return 2 if refusal else 0


def keys_folder(environment: dict[str, str]) -> str:
    """Where the keys lie, as `Folders` says it: COUNCIL_DATA of the environment or of `.env`, else `.data`."""
    named = environment.get("COUNCIL_DATA") or data_of_file(os.path.join(CHECKOUT, ".env")) or ".data"
    return os.path.join(CHECKOUT, os.path.expanduser(named), "keys")


def data_of_file(path: str) -> str:
    try:
        with open(path) as file:
            lines = [line.strip().removeprefix("export ") for line in file]
    except OSError:
        return ""
    values = [line.partition("=")[2].strip().strip("'\"") for line in lines if line.startswith("COUNCIL_DATA=")]
    return values[-1] if values else ""


def ask(keys: str, question: str) -> str:
    """What the issuer answers: a token, or an empty line and why there is none. Raises OSError when nobody listens."""
    # From inside the folder: the name of a socket may have a hundred characters only.
    os.chdir(keys)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(SOCKET)
        connection.sendall(question.encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    if not answer:
        raise ConnectionError("the issuer hung up")
    return answer.decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
