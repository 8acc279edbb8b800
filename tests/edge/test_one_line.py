def test_one_line_brings_guard_banner_and_way_back_in_the_language_asked_for(world):
    answer = world.get("/lofte/gate.js?market=no&locale=nb")

    code = answer.body.decode()
    assert answer.status == 200
    assert ("content-type", "text/javascript; charset=utf-8") in [(str(k).lower(), v) for k, v in answer.headers]
    assert "lofte-banner" in code
    assert "/lofte/preferences/no/nb/?back=" in code
    assert "<noscript>" not in code
    assert code == world.get("/lofte/gate.js?market=no&locale=nb").body.decode()


def test_an_edition_there_is_not_has_no_line(world):
    assert world.get("/lofte/gate.js?market=xx&locale=sv").status == 404
