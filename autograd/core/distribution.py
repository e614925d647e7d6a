"""Another distribution on PyPI is imported as ``autograd``, too: one environment holds one of them.

Installed beside this one, it writes into the same folder, and what is imported is half of each.
The check stands in ``autograd.core``, which both ask for first, whichever was installed last: the
other one has a module of that name.
"""

from __future__ import annotations

import os
import sys


def refuse_mixture(package: str) -> None:
    """Raise an error when the package's files are not, or not only, those of this distribution.

    Args:
        package: the folder of the package ``autograd``.

    Raises:
        ImportError: that names both distributions and what to do.
    """
    if getattr(sys.modules.get("autograd"), "__file__", None) is None:
        raise ImportError(f"{package} has lost its __init__.py, as after uninstalling another "
                          "distribution that wrote into it; install chainrule again with pip's "
                          "option --force-reinstall")
    folder = os.path.dirname(package)
    try:
        beside = os.listdir(folder)
    except OSError:  # in an archive
        return
    for name in beside:
        if name.startswith("autograd-") and name.endswith((".dist-info", ".egg-info")):
            raise ImportError(
                f"two distributions have written into {package}, so that it is usable as neither: "
                f"chainrule, and {name.rpartition('.')[0].replace('-', ' ')}; run \"pip uninstall "
                "autograd chainrule\" and install the one that you want, or give each of them an "
                "environment of its own")
