"""A command line that plays a small, slow world, to be killed: `python crash_run.py run FILE --out DIR …`.

PAUSE_S, an environment variable, is how long a month takes. Plots are left out: they take longer than all the rest.
"""

from __future__ import annotations

import os
import time
from typing import Any

from analysis_fakes import FakeWorld, open_fake_service

from analysis.play.lockstep import Engine

SMALL = """\
title: A very small market
start: 2015-01
years: 1
focal: iris
world: {sectors: {security: {task: security-vision, market_opens: 2014,
  segments: {cameras: {customers: 2000, reference_price_usd: 2000}}}}}
firms: {iris: {sector: security, offers: {cameras: subscription}}}
"""
CODE = "this code"  # somebody may edit a source file while the tests run


class SlowWorld(FakeWorld):
    """The small world, at a speed at which a signal can meet it anywhere."""

    def finish_month(self) -> None:
        time.sleep(float(os.environ.get("PAUSE_S", "0")))
        super().finish_month()


SLOW = Engine(SlowWorld, open_fake_service)


def main() -> None:
    """The command line with the small world in place of the real one."""
    import crash_run

    import analysis.play.experiment
    import analysis.play.provenance
    import analysis.plots
    from analysis.cli.main import main as ventures

    nothing: Any = lambda *_: []  # noqa: E731
    analysis.play.experiment.real_engine = lambda: crash_run.SLOW
    analysis.play.provenance.code_fingerprint = lambda: CODE
    analysis.plots.plot_run = nothing
    ventures()


if __name__ == "__main__":
    main()
