"""That every benchmark runs. None of their figures is judged here."""

import subprocess
import sys

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
