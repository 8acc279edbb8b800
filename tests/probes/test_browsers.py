"""One browser for several orders: whoever comes next meets nobody's traces, and nothing of it is left when it is closed."""

import http.server
import threading
from pathlib import Path

import pytest

from lofte.kernel.problems import Problem
from lofte.probes.instruments.browsers import Browsers

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browsers")]


class _Site(http.server.BaseHTTPRequestHandler):
    """Keeps a cookie; whoever brings it back finds nothing here."""

    def do_GET(self):
        self.send_response(404 if "been_here" in self.headers.get("Cookie", "") else 200)
        self.send_header("Set-Cookie", "been_here=1; Path=/; Max-Age=1000")
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>.</title><main>A page with enough words to be read by somebody who visits it.</main>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def _group(browsers):
    """The processes of the browser that is open, if one is."""
    leaders = {one._process.pid for one in browsers._open.values()}
    return leaders, lambda: [each for pid in leaders for each in _members(pid)]


def _members(pid):
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[2]) == pid:
            yield stat.parent.name


def test_one_browser_serves_several_and_ends_with_all_its_processes(chromium, site):
    task = {"task": "cookieless", "locale": "sv", "pages": ["/"]}
    with Browsers() as browsers:
        found = [browsers.run(chromium, site, [task], blocks_cookies=False) for _ in range(2)]
        leaders, alive = _group(browsers)

        # Somebody who visits after another: had they shared a device, the page would not have opened.
        assert [one["results"][0]["dead"] for one in found] == [[], []]
        assert [one["results"][0]["kept"] for one in found] == [1, 1]
        assert len(leaders) == 1
        assert len(alive()) > 2
        with pytest.raises(Problem, match="broke down"):
            browsers.run(chromium, "http://localhost:9", [task], blocks_cookies=False)
        assert alive() == []  # whoever comes next gets a new one


def test_a_browser_that_cannot_start_is_told(site):
    with Browsers() as browsers, pytest.raises(Problem, match="did not start"):
        browsers.run("/bin/false", site, [], blocks_cookies=False)
