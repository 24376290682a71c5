"""Lists the inputs of this machine as JSON, in a process of its own.

Asking drivers can hang or crash, and PortAudio only sees a new device in a fresh process. Nothing
is opened: a laptop's microphone is never listened to unasked.
"""

import asyncio
import json
import sys
from dataclasses import asdict

from capture.source import KINDS, Found, SourceError

FIND_S = 15.0
FOUND_LIMIT = 64
PRACTICE = "synthetic"


def found() -> list[Found]:
    """Return what every kind finds; a kind that cannot look finds nothing."""
    import capture.sources  # noqa: F401  # fills the registry; slow, and the service needs it not

    inputs: list[Found] = []
    for name, kind in sorted(KINDS.items()):
        if kind.find is None or name == PRACTICE:
            continue
        try:
            inputs += kind.find()
        except SourceError as error:
            sys.stderr.write(f"{name}: {error}\n")
    return inputs[:FOUND_LIMIT]


async def find() -> list[Found]:
    """Run this file as a process and return what it found; nothing when it hangs or dies."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.find_inputs",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), FIND_S)
        return [Found(**row) for row in json.loads(out)]
    except (TimeoutError, ValueError, TypeError):
        return []
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(one) for one in found()]))
