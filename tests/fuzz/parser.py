"""Answers grown by coverage: python -m tests.fuzz.parser --runs 1000000. Needs atheris (Linux, or macOS with LLVM).

An input is a list of words, one byte each, most of them the words of almost-JSON; no file is kept and no real answer is
used. A failure prints the bytes, which ``spelt`` turns into the text.
"""

import argparse
import sys
import time

from tests.fuzz.vocabulary import WORDS


def spelt(data: bytes) -> str:
    """The text that some bytes stand for: a word each, or a character where there is no such word."""
    return "".join(WORDS[byte] if byte < len(WORDS) else chr(byte) for byte in data)


def main() -> None:
    """Fuzz until so many inputs were read, or one broke a law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs")
    parser.add_argument("--longest", type=int, default=60, help="words in an input")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    import atheris  # noqa: PLC0415 - a package of this script alone

    with atheris.instrument_imports(include=["habitus_runners.prompts"]):
        from tests.fuzz.laws import TITLES, check  # noqa: PLC0415 - instrumented as it is imported
    slowest = 0.0

    def timed(data: bytes) -> float:
        text, length = spelt(data[1:]), data[0] % len(TITLES) + 1 if data else 1
        start = time.thread_time()
        check(text, length, "length" if data[:1] > b"\x7f" else "stop")
        return time.thread_time() - start

    def read(data: bytes) -> None:
        nonlocal slowest
        # Whatever was slow by chance, as when memory was collected, is not slow three times.
        if timed(data) > 1.5 * slowest and (taken := min(timed(data) for _ in range(3))) > 1.5 * slowest:
            slowest = taken
            sys.stdout.write(f"slowest so far, read four times: {1000 * taken:.1f} ms, {data!r}\n")

    limits = [f"-atheris_runs={wanted.runs}", f"-max_len={wanted.longest + 1}", "-len_control=20", "-timeout=10"]
    atheris.Setup([sys.argv[0], *limits, f"-seed={wanted.seed}", "-exact_artifact_path=/dev/null"], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
