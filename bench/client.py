"""The load where wrk is missing: `python -m bench.client PORT CONNECTIONS FILE SECONDS`. Prints one JSON object.

Raw sockets and one epoll loop; slower than wrk, so the server's rate may be bounded by it: its CPU figure still holds.
"""

import asyncio
import json
import sys
import time
from pathlib import Path


async def main(port: int, connections: int, file: Path, seconds: float) -> dict[str, float]:
    bodies = iter(file.read_bytes().splitlines())
    until = time.monotonic() + seconds
    took_s: list[float] = []
    counts = {"answered": 0, "refused": 0}

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < until and (body := next(bodies, None)) is not None:
            sent = time.monotonic()
            writer.write(
                b"POST /lofte/consent HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            took_s.append(time.monotonic() - sent)
            counts["answered" if head[9:10] == b"2" else "refused"] += 1
        writer.close()

    started = time.monotonic()
    await asyncio.gather(*(one() for _ in range(connections)))
    took_s.sort()
    p99 = took_s[int(len(took_s) * 0.99)] * 1000 if took_s else 0.0
    return counts | {"seconds": time.monotonic() - started, "p99_ms": p99}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])))))
