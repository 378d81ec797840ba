"""The `nbflow` command: what is installed here, what the kernel cache holds, how fast it runs."""

import argparse
import sys

from nbflow.cli import cache, info, inspection, ops, perf

COMMANDS = {
    "info": "versions, processor, threads, BLAS, GPU and cache of this installation",
    "cache": "show or clear the cache of compiled kernels",
    "ops": "every op with its dtypes, gradient and tests; what of TensorFlow's API is absent",
    "inspect": "what became of a program's functions: graphs, passes, kernels, time and memory",
    "perf": "measure nbflow, alone or beside other frameworks (in a checkout)",
}


def main(argv: list[str] | None = None) -> int:
    """Run the `nbflow` command.

    Args:
        argv: the arguments; by default those of the process.

    Returns:
        The exit status: 0, 1 for a failure, 2 for a wrong argument.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["perf"]:  # has its own parser, in the checkout
        return perf.run(argv[1:])
    parser = argparse.ArgumentParser(prog="nbflow", description="The command of nbflow, a numerical engine on Numba.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=text, description=text) for name, text in COMMANDS.items()}
    info.add_arguments(parsers["info"])
    cache.add_arguments(parsers["cache"])
    ops.add_arguments(parsers["ops"])
    inspection.add_arguments(parsers["inspect"])
    arguments = parser.parse_args(argv)
    commands_run = {"info": info.run, "cache": cache.run, "ops": ops.run, "inspect": inspection.run}
    return commands_run[arguments.command](arguments)
