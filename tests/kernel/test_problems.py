from lofte.kernel.problems import Place, Problem


def test_a_problem_reads_as_one_line_with_place_expectation_law_and_way_out():
    problem = Problem(
        "policy.no-basis",
        "purpose news has no basis",
        Place("policy.yaml", 12, "purposes.news"),
        expected="one of consent, contract",
        way_out="Name the basis.",
        law="GDPR 6(1)",
    )

    assert str(problem) == (
        "policy.yaml:12: purposes.news: error[policy.no-basis]: purpose news has no basis; "
        "expected one of consent, contract (GDPR 6(1)). Name the basis."
    )


def test_a_problem_document_follows_rfc_9457_and_leaves_out_what_is_unknown():
    document = Problem("consent.too-large", "the body is too large", status=413).document()

    assert document == {
        "type": "urn:lofte:problem:consent.too-large",
        "title": "consent.too-large",
        "status": 413,
        "detail": "the body is too large",
    }


def test_a_problem_can_travel_through_a_context_manager():
    import contextlib

    @contextlib.contextmanager
    def passage():
        yield

    caught = None
    try:
        with passage():
            raise Problem("a.b", "c")
    except Problem as problem:
        caught = problem

    assert caught is not None
    assert caught.code == "a.b"
