"""Programs the tests need and Python can't bring: installed where that takes no asking."""

from __future__ import annotations

import os
import shutil
import subprocess


def install(package: str) -> bool:
    """Install a Debian package if this is Debian and we are root; says whether it was possible."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        [*apt, "install", "-y", package], env=quiet, check=False, stdout=subprocess.DEVNULL
    )
    return done.returncode == 0
