import gc

from lofte.edge.limits import Limiter


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_bucket_empties_and_fills_again():
    clock = Clock()
    limiter = Limiter(rate_per_s=2, burst=3, clock_s=clock)

    assert [limiter.admits("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    clock.now_s = 0.5
    assert [limiter.admits("192.0.2.1") for _ in range(2)] == [True, False]
    clock.now_s = 1000
    assert [limiter.admits("192.0.2.1") for _ in range(4)] == [True, True, True, False]


def test_one_client_does_not_empty_anothers_bucket():
    limiter = Limiter(rate_per_s=1, burst=1, clock_s=Clock())

    assert limiter.admits("192.0.2.1")
    assert limiter.admits("192.0.2.2")
    assert not limiter.admits("192.0.2.1")


def test_a_network_of_one_household_is_one_client():
    limiter = Limiter(rate_per_s=1, burst=1, clock_s=Clock())

    assert limiter.admits("2001:db8:1:2:aaaa::1")
    assert not limiter.admits("2001:db8:1:2:bbbb::9")
    assert limiter.admits("2001:db8:1:3::1")


def test_the_address_is_kept_nowhere():
    limiter = Limiter(rate_per_s=1, burst=1)
    limiter.admits("198.51.100.77")
    held = list(gc.get_referents(limiter._buckets))

    assert all(b"198.51" not in key for key in limiter._buckets)
    assert "198.51.100.77" not in held


def test_many_clients_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("lofte.edge.limits._MOST_CLIENTS", 10)
    limiter = Limiter(rate_per_s=1, burst=1)
    for number in range(100):
        limiter.admits(f"10.0.0.{number}")

    assert len(limiter._buckets) == 10
