"""``statecharge play`` as a tester of Central Systems meets it."""

import json

from tests.peers.processes import program

SCRIPT = """{"script": "short", "title": "Boot and a card"}
{"expect": [{"action": "BootNotification"}], "withinS": 60}
{"wait": [5, 10]}
{"choose": {"card": {"hex": 8}}}
{"do": "swipe", "idTag": "$card"}
{"answered": "Authorize", "payload": {"idTagInfo": {"status": "Accepted"}}}
"""


async def play(*arguments):
    """Play to the end; return exit code, lines of stdout and lines of stderr."""
    async with program("-m", "engine.cli", "play", *arguments) as running:
        return await running.ended(), running.out.all, running.err.all


async def test_a_play_that_goes_well_ends_with_0_and_leaves_what_happened(csms, tmp_path):
    script = tmp_path / "short.jsonl"
    script.write_text(SCRIPT)
    out = tmp_path / "out"
    code, told, err = await play(script, "--csms", csms.url, "--speed", "60", "--seed", "7", "--out", out)

    assert (code, err) == (0, [])
    assert told[-1] == "short passed: 4 steps, 5 CALLs"
    verdict = json.loads((out / "short.verdict.json").read_text())
    assert (verdict["isPassed"], verdict["seed"], verdict["failures"]) == (True, 7, [])
    entries = [json.loads(line) for line in (out / "short.transcript.jsonl").read_text().splitlines()]
    card = json.loads((out / "short.script.jsonl").read_text().splitlines()[3])["idTag"]
    assert [e["payload"] for e in entries if e.get("action") == "Authorize" and e["kind"] == 2] == [
        {"idTag": card}
    ]
    assert csms.calls("Authorize") == [{"idTag": card}]


async def test_a_play_that_goes_wrong_ends_with_1_and_says_where(csms, tmp_path):
    script = tmp_path / "short.jsonl"
    script.write_text(SCRIPT)
    await csms.answer("Authorize", {"idTagInfo": {"status": "Blocked"}})
    code, told, err = await play(script, "--csms", csms.url, "--speed", "60")

    assert (code, err) == (1, [])
    assert any(line.startswith("FAILED: short.jsonl:6: expected Authorize.conf") for line in told)
    assert told[-1].startswith("short failed: ")
