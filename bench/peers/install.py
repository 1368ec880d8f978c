#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A virtual environment for each engine, with the versions that its adapter names.

    bench/peers/install.py [--environments FOLDER] [--engines gigatoken,splintr]

What is there already is left as it is. Exit status 1: one could not be installed; the others are there.
"""
import argparse
import os
import subprocess
import sys
import venv

import engines

DIGESTS = "xxhash==4.1.0"


def default_environments():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(os.environ.get("BUDTIKTOK_CACHE_DIR") or os.path.join(cache, "budtiktok"), "peers")


def install(folder, requires):
    """Whether all of it is there."""
    mark = os.path.join(folder, "installed.txt")
    wanted = "\n".join((*requires, DIGESTS)) + "\n"
    if os.path.exists(mark):
        with open(mark, encoding="ascii") as file:
            if file.read() == wanted:
                return True
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run([os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", *requires, DIGESTS],
                          check=False)
    if done.returncode == 0:
        with open(mark, "w", encoding="ascii") as file:
            file.write(wanted)
    return done.returncode == 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", default=default_environments())
    parser.add_argument("--engines", type=lambda text: text.split(","), default=list(engines.MODULES))
    options = parser.parse_args()
    for name in options.engines:
        if name not in engines.MODULES:
            parser.error(f"--engines: {name} is not one of {', '.join(engines.MODULES)}")
    return options


def main():
    options, missing = parse(), []
    for name in options.engines:
        requires = engines.find(name).requires
        if requires and not install(os.path.join(options.environments, name), requires):
            missing.append(name)
        elif requires:
            print(f"{name}: {' '.join(requires)}", flush=True)
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")


if __name__ == "__main__":
    main()
