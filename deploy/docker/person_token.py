"""A bearer token for the try-out with containers: `python deploy/docker/person_token.py ROLE [NAME]`."""

import sys

from compose_env import FOLDER, kept
from council_local.tokens import Tokens

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    role, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    issuer = kept(FOLDER / "compose.env").get("OIDC_ISSUER", "http://issuer:8010")
    sys.stdout.write(Tokens.of(FOLDER / "keys", issuer).for_person(role, name=name) + "\n")
