"""Forms of other plugins reach Löfte's intake. They are not here: their hooks are called with the arguments they document."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

pytestmark = [pytest.mark.long]
FORMS = """\
cf7:12 = contact; your-email = email; your-name = name; news ? newsletter/email
wpforms:7 = contact; 1 = email; 2 = name
fluent:3 = contact; email = email; names = name
elementor:hello = contact; email = email; name = name
"""


@pytest.fixture
def intake(wordpress) -> Iterator[list[dict[str, Any]]]:
    """The two calls of /api/forms/ as its reference has them: what a form asks, and taking one."""
    taken: list[dict[str, Any]] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(200, {"id": "contact", "wording": "w" * 64})

        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))) | {"path": self.path})
            self.say(202 if "@" in taken[-1]["values"]["email"] else 422, {})

        def say(self, status: int, said: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wordpress.settings(url=f"http://127.0.0.1:{server.server_port}", forms=FORMS)
    yield taken
    wordpress.settings()
    server.shutdown()
    server.server_close()


_CF7 = """
class F { function __construct(public $i) {} function id() { return $this->i; } }
class S { public $said = ''; function __construct(public $d) {} function get_posted_data() { return $this->d; }
  function set_response($r) { $this->said = $r; } }
$abort = false; $s = new S(['your-email' => '%s', 'your-name' => 'Kari', 'news' => %s]);
do_action_ref_array('wpcf7_before_send_mail', [new F(%d), &$abort, $s]); echo json_encode([$abort, $s->said]);
"""


def test_contact_form_7_sends_on_what_is_mapped_and_stops_when_it_is_not_taken(wordpress, intake):
    assert json.loads(wordpress.php(_CF7 % ("kari@example.no", "['yes']", 12))) == [False, ""]
    assert intake[0]["values"] == {"email": "kari@example.no", "name": "Kari"}
    assert intake[0]["boxes"] == [{"purpose": "newsletter", "channel": "email"}]
    assert intake[0]["path"] == "/api/forms/se/sv/contact/"
    assert json.loads(wordpress.php(_CF7 % ("kari@example.no", "['']", 12)))[0] is False
    assert intake[1]["boxes"] == []
    aborted, said = json.loads(wordpress.php(_CF7 % ("nobody", "''", 12)))
    assert aborted
    assert said
    wordpress.php(_CF7 % ("kari@example.no", "''", 13))
    assert len(intake) == 3


def test_wpforms_fluent_and_elementor_send_on_what_is_mapped(wordpress, intake):
    wordpress.php(
        "do_action('wpforms_process_complete', [1 => ['name' => 'E', 'value' => 'a@example.no', 'id' => 1],"
        " 2 => ['name' => 'N', 'value' => 'Ann', 'id' => 2]], [], ['id' => 7], 99);"
        "do_action('fluentform/submission_inserted', 5, ['email' => 'b@example.no', 'names' => ['first_name' => 'Bo']],"
        " (object) ['id' => 3]);"
        "class R { function get($w) { return ['email' => ['value' => 'c@example.no'], 'name' => ['value' => 'Cy']]; }"
        " function get_form_settings($n) { return $n == 'form_id' ? 'hello' : 'x'; } }"
        "class H { function add_error_message($m) {} }"
        "do_action('elementor_pro/forms/new_record', new R, new H);"
    )
    assert [each["values"] for each in intake] == [
        {"email": "a@example.no", "name": "Ann"},
        {"email": "b@example.no", "name": "Bo"},
        {"email": "c@example.no", "name": "Cy"},
    ]
