"""`python -m habitus_bindings.native`: installs libhabitus with its header and pkg-config file, or says where it is."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from habitus_bindings import native
from habitus_bindings.native.build import BuildError, build, place

_PKG_CONFIG = """prefix={prefix}
libdir=${{prefix}}/lib
includedir=${{prefix}}/include

Name: habitus
Description: How well a model predicts what groups of people do: the scoring engine
Version: {version}
Cflags: -I${{includedir}}
Libs: -L${{libdir}} -lhabitus
Libs.private: -lm
"""


def install(prefix: Path) -> list[Path]:
    """Bring library, header and pkg-config file under ``prefix``; the library is built where none is shipped."""
    target, header = prefix / "lib" / native.SHIPPED.name, prefix / "include" / "habitus.h"
    held = native.library() if os.environ.get("HABITUS_LIBRARY") or native.SHIPPED.is_file() else None
    if held is None or (target.exists() and held.samefile(target)):  # the one that is to be renewed
        build(target)
    else:
        place(held, target)
    place(native.INCLUDE / header.name, header)
    described = prefix / "lib" / "pkgconfig" / "habitus.pc"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, described.name)
        escaped = str(prefix).replace(" ", "\\ ")
        made.write_text(_PKG_CONFIG.format(prefix=escaped, version=_version()), "utf-8")
        place(made, described)
    return [target, header, described]


def _version() -> str:
    """What the library says of itself."""
    header = (native.INCLUDE / "habitus.h").read_text("utf-8")
    return header.split('#define HABITUS_VERSION "')[1].split('"')[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, do, print; 1 and one line where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m habitus_bindings.native", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="build the library where none is shipped, and install it")
    installing.add_argument("--prefix", type=Path, default=Path(sys.prefix), help="default: this environment")
    commands.add_parser("where", help="print the path of the library that this installation holds")
    given = parser.parse_args(arguments)
    try:
        paths = install(given.prefix.resolve()) if given.command == "install" else [native.library()]
    except (BuildError, OSError) as error:
        sys.stderr.write(f"habitus: {error}\n")
        return 1
    sys.stdout.writelines(f"{path}\n" for path in paths)
    return 0


if __name__ == "__main__":
    sys.exit(main())
