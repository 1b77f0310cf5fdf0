"""Starts the simulator: ``python -m ops.mpsim --port 8799 --webhook-url http://...``."""

import argparse
import os
import re
import signal
import sys
from pathlib import Path

from ops.mpsim import snapshot
from ops.mpsim.app import App
from ops.mpsim.errors import ApiError
from ops.mpsim.server import Server, to_stdout
from ops.mpsim.simulator import Settings, Setup, Simulator
from ops.mpsim.webhooks import Policy

ENDING = {signal.SIGTERM, signal.SIGINT}
SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s)(?:\.\.(\d+(?:\.\d+)?)(ms|s))?")


def span(text: str) -> tuple[float, float]:
    """Read ``3s..8s``, ``200ms..2s`` or ``5s`` as the shortest and longest seconds."""
    match = SPAN.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError("write a time such as 5s, or a span such as 3s..8s")
    shortest, unit, longest, last_unit = match.groups()
    low = float(shortest) / (1000 if unit == "ms" else 1)
    high = float(longest) / (1000 if last_unit == "ms" else 1) if longest else low
    if high < low:
        raise argparse.ArgumentTypeError("the longest time is shorter than the shortest")
    return low, high


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m ops.mpsim", description="Local simulator of Mercado Pago.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8799, help="port to listen on (%(default)s)")
    parser.add_argument("--webhook-url", default="", help="where order events go; without it none are sent")
    parser.add_argument("--pos", action="append", default=[], help="external id of a point of sale; repeatable")
    parser.add_argument("--token", action="append", default=[], help="access token of a seller; repeatable")
    parser.add_argument("--secret", default="breadmate-test-secret", help="key of the webhook signatures")
    parser.add_argument("--auto-pay", type=span, default=(), metavar="3s..8s", help="pay every order after this time")
    parser.add_argument("--lenient-amounts", action="store_true", help="accept amounts written as JSON numbers")
    parser.add_argument("--snapshot", type=Path, metavar="FILE", help="keep orders in this file over restarts")
    return parser.parse_args(argv)


def setup_of(args: argparse.Namespace) -> Setup:
    """Turn the command line into what the simulator starts with."""
    return Setup(
        tokens=tuple(args.token) or ("APP_USR-SIM-1",),
        pos=tuple(args.pos),
        secret=args.secret,
        policy=Policy(url=args.webhook_url),
        settings=Settings(auto_pay_s=args.auto_pay, lenient_amounts=args.lenient_amounts),
    )


def fail(message: str, code: int) -> int:
    """Tell why the program ends, and return its exit code."""
    print(f"mpsim: {message}", file=sys.stderr)
    return code


def main(argv: list[str]) -> int:
    """Run until SIGTERM or SIGINT and return the exit code."""
    for name in ("BREADMATE_ENV", "DJANGO_ENV"):
        if os.environ.get(name, "").strip().lower() == "production":
            return fail(f"{name}=production: the simulator never runs in production", 2)
    args = arguments(argv)
    try:
        sim = Simulator(setup_of(args))
    except ApiError as error:
        return fail(str(error), 2)
    try:
        server = Server(App(sim), args.host, args.port)
    except (OSError, OverflowError) as error:
        return fail(f"cannot listen on {args.host}:{args.port}: {getattr(error, 'strerror', None) or error}", 1)
    saver = snapshot.Saver(sim, args.snapshot) if args.snapshot else None
    if args.snapshot:
        try:
            snapshot.load(sim, args.snapshot)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return fail(f"cannot read the snapshot {args.snapshot}: {error!r}", 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # before any thread exists, so that only sigwait sees them
    server.start()
    if saver:
        saver.start()
    to_stdout(f"mpsim listens on {server.url}, buyer's page {server.url}/")
    signal.sigwait(ENDING)
    server.stop()
    if saver:
        saver.finish()
    to_stdout("mpsim ended")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
