"""`python -m tests.drills [names]`: the drills one after the other, each bounded in time, and one verdict on all.

Each is a program of its own (`python -m tests.drills.kills --help`); here they run as they come.
"""

import argparse
import signal
import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter

MINUTES = {"storm": 10, "kills": 30, "away": 20, "real_messages": 30}
"""What each may take at most, on a machine that has other things to do too."""
STOP_SECONDS = 120.0
"""What a drill that is late has to stop its county."""


@dataclass(frozen=True, slots=True)
class Ended:
    name: str
    verdict: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.verdict == "合格 passed"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(MINUTES)}; all where none is given")
    names = parser.parse_args().names or list(MINUTES)
    if unknown := [name for name in names if name not in MINUTES]:
        parser.error(f"no such drill: {', '.join(unknown)}")
    ended = [_run(name) for name in names]
    lines = ["", "演练 drills：", *(f"  {one.name:14} {one.verdict}，{one.seconds:.0f} 秒" for one in ended)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(one.passed for one in ended) else 1


def _run(name: str) -> Ended:
    began = perf_counter()
    sys.stdout.write(f"\n== {name}\n")
    sys.stdout.flush()
    # Its own session: Ctrl-C comes to us alone, and to it once; a second one would cut its cleaning up short.
    with subprocess.Popen([sys.executable, "-m", f"tests.drills.{name}"], start_new_session=True) as drill:
        try:
            code = drill.wait(MINUTES[name] * 60)
            verdict = "合格 passed" if code == 0 else f"不合格 FAILED ({code})"
        except subprocess.TimeoutExpired:
            verdict = f"不合格 FAILED：超过 {MINUTES[name]} 分钟"
            _interrupt(drill)
        except KeyboardInterrupt:
            _interrupt(drill)
            raise
    return Ended(name, verdict, perf_counter() - began)


def _interrupt(drill: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C, so that it stops what it has started; only then, if it must be, an end."""
    drill.send_signal(signal.SIGINT)
    try:
        drill.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        drill.kill()


if __name__ == "__main__":
    sys.exit(main())
