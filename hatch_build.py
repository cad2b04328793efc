"""Brings libhabitus into a wheel: HATCH_BUILD_HOOK_ENABLE_CUSTOM=true python3 -m pip wheel --no-deps .

Off otherwise, so that an installation from source needs no compiler and takes no minute. The library needs no Python:
the wheel is for one platform and any version.
"""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeLibrary(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's configuration is a plain dict
    """Builds the library, or takes that which HABITUS_LIBRARY names; without a compiler the wheel is without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it gathers the files."""
        if version == "editable":
            return
        sources = [str(Path(self.root, folder)) for folder in ("engine", "bindings")]
        sys.path[:0] = sources
        # The kernels are compiled by processes of their own.
        os.environ["PYTHONPATH"] = os.pathsep.join([*sources, *filter(None, [os.environ.get("PYTHONPATH")])])
        from habitus_bindings import native  # noqa: PLC0415 - from the sources that are being built
        from habitus_bindings.native.build import BuildError, build, compiler, place  # noqa: PLC0415

        named = os.environ.get("HABITUS_LIBRARY")
        if named:
            place(Path(named), native.SHIPPED)
        else:
            try:
                compiler()
            except BuildError as error:
                self.app.display_warning(f"this wheel holds no libhabitus: {error}")
                return
            build(native.SHIPPED)
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
        build_data["artifacts"].append(str(native.SHIPPED.relative_to(self.root)))

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Called by hatchling when the wheel is written: the sources are as they were."""
        shutil.rmtree(Path(self.root, "bindings", "habitus_bindings", "native", "lib"), ignore_errors=True)
