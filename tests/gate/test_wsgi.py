import threading
import urllib.request
from http.client import HTTPConnection
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from lofte.gate import Gate
from lofte.gate.wsgi import Wsgi

IMAGE = b'<img src="//count.test/p">'


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture
def gated(published):
    return lambda app: Wsgi(
        app, lambda site: Gate(site, lambda: published, b"k" * 32, lambda *_: b"<section></section>")
    )


@pytest.fixture
def serve():
    servers = []

    def run(app):
        server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server.server_port

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


def get(port, where="/se/", **headers):
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(headers.pop("method", "GET"), where, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_a_plain_wsgi_site_is_held_by_the_rules_of_wsgi_on_both_sides(gated, serve):
    @validator
    def site(environ, start_response):
        start_response("200 Fine", [("Content-Type", "text/html"), ("Set-Cookie", "_ads=1")])
        return [b"<body>", IMAGE, environ["lofte.market"].encode(), b"</body>"]

    answer, body = get(serve(validator(gated(site))))

    assert (answer.status, answer.reason) == (200, "Fine")
    assert b'<img data-lofte-held=statistics data-lofte-src="//count.test/p">SE' in body
    assert answer.getheader("Set-Cookie") is None
    assert "script-src 'self'" in answer.getheader("Content-Security-Policy")


def test_a_body_reaches_the_wsgi_site_and_its_answer_is_not_touched(gated, serve):
    def site(environ, start_response):
        start_response("201 Created", [("Content-Type", "application/json")])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    url = f"http://127.0.0.1:{serve(gated(site))}/form"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"a=1")) as answer:
        assert (answer.status, answer.read()) == (201, b"a=1")


def test_what_the_site_yields_is_passed_on_before_it_is_done_and_closed_when_nobody_listens(gated):
    said = []

    class Answer:
        def __iter__(self):
            for number in range(3):
                said.append(number)
                yield b"%d" % number

        def close(self):
            said.append("closed")

    def site(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Answer()

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "a",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    body = gated(site)(environ, lambda *_: None)
    first = next(iter(body))
    seen = list(said)
    body.close()

    assert (first, seen, said) == (b"0", [0], [0, "closed"])


def test_a_head_has_no_body(gated, serve):
    def site(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [IMAGE]

    answer, body = get(serve(gated(site)), method="HEAD")

    assert (answer.status, body) == (200, b"")
    assert answer.getheader("Content-Security-Policy")


def page(request):
    return HttpResponse(b"<body>" + IMAGE + request.META["lofte.nonce"].encode() + b"</body>")


urlpatterns = [path("se/", page)]


def test_django_s_own_wsgi_handler_is_held(gated, serve):
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        answer, body = get(serve(gated(WSGIHandler())))

    assert answer.status == 200
    assert b"data-lofte-src" in body
