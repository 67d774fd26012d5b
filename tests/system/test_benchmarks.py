"""That every benchmark runs. None of their figures is judged here."""

import platform
import subprocess
import sys

import pytest

from benchmarks.report import machine
from tests.peers.processes import ROOT


def test_every_figure_is_measured_and_written(tmp_path):
    out = tmp_path / "RESULTS.md"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", "--out", out],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert run.returncode == 0, run.stderr
    document = out.read_text()
    titles = [line for line in document.splitlines() if line.startswith("## ")]
    assert [title.split()[1] for title in titles[:8]] == [f"{number}." for number in range(1, 9)]
    assert document.count("Target: ") == 8
    assert "## What limits each figure" in document


def test_of_the_kernel_it_says_the_version_and_not_whose_build_it_is(monkeypatch):
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-21-somebody-v7")

    assert machine().endswith(", Linux 6.1.0")


@pytest.mark.parametrize("way", ["own stream, own client", "TCP: own client", "pymodbus, asyncio alone"])
def test_every_way_to_read_registers_is_compared_and_ours_reads_nothing_wrong(way):
    command = ["-m", "benchmarks.serial_backends", "--requests", "20", "--soak", "1", "--only", way]
    run = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    row = run.stdout.splitlines()[-1]
    assert row.startswith(way)
    *_, wrong, told, back = row.removeprefix(way).split()
    assert "never" not in (told, back)
    if "own" in way:
        assert wrong == "0"
