"""What gates in other languages are given: everything needed to hold pages as ours does, and nothing of any visitor."""

from urllib.parse import urlsplit


def test_the_kit_holds_guard_banner_declarations_and_policy_header(world):
    answer = world.get("/lofte/gate.json?market=se&locale=sv")
    said = answer.json
    assert answer.status == 200
    assert said["format"] == "lofte-gate/1"
    assert said["digest"] == world.digest
    assert said["head"].startswith('<script data-lofte="guard">')
    assert 'id="lofte-banner"' in said["banner"]
    assert "LOFTEBACK" in said["banner"]
    assert ["*.google-analytics.com", "statistics"] in said["hosts"]
    assert said["models"]["statistics"] == "opt_in"
    assert ["lofte", "necessary"] in said["cookies"]
    assert "'LOFTESCRIPTS'" in said["csp"]
    assert "unsafe-eval" not in said["csp"]


def test_the_kit_is_the_same_for_everyone(world):
    there = "/lofte/gate.json?market=no&locale=nb"
    assert world.get(there).body == world.get(there, {"sec-gpc": "1", "cookie": "lofte=x; lofte_on=y"}).body


def test_every_placeholder_of_the_kit_asks_nobody(world):
    said = world.get("/lofte/gate.json?market=se&locale=sv").json
    assert [frame["path"] for frame in said["frames"] if frame["host"] == "www.youtube.com"] == ["/embed/{id}", ""]
    for frame in said["frames"]:
        assert "<img" not in frame["html"]
        assert urlsplit(frame["host"]).netloc == ""
