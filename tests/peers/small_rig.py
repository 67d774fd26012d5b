"""Gives a stimulus to tests/peers/faulty_charge_point.py: a program for the conformance command.

--rig "command:python tests/peers/small_rig.py PORT"
"""

import http.client
import json
import sys

PATHS = {
    "plug-in": "/connectors/1/plug-in",
    "unplug": "/connectors/1/unplug",
    "pause": "/connectors/1/pause",
    "resume": "/connectors/1/resume",
    "swipe": "/swipe",
    "power-cut": "/power-cut",
}
LOOKS = {"has-energy": "contactor", "register": "register_wh"}
CANNOT = 3


def ask(port: int, method: str, path: str, body: bytes = b"") -> dict:
    """Ask the wallbox; what it refuses ends the program."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body)
    response = connection.getresponse()
    answered = json.loads(response.read())
    if response.status != http.client.OK:
        sys.exit(answered["error"])
    return answered


def main() -> None:
    """Do what the arguments say."""
    port, what = int(sys.argv[1]), sys.argv[2]
    if what == "capabilities":
        sys.stdout.write(" ".join([*PATHS, *LOOKS]))
    elif what in PATHS:
        ask(port, "POST", PATHS[what], sys.stdin.buffer.read())
    elif what in LOOKS:
        seen = ask(port, "GET", "/state")["hardware"]["1"][LOOKS[what]]
        sys.stdout.write({True: "yes", False: "no"}[seen] if isinstance(seen, bool) else str(seen))
    else:
        sys.exit(CANNOT)


if __name__ == "__main__":
    main()
