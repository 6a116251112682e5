"""What sets a refcount apart (SEMANTICS H1, A3): from zero nobody takes, whoever can still write it is waited for."""

from __future__ import annotations

import pytest

from tests.checking import checked, found, names
from tests.locks.agreed import agreed


@pytest.mark.parametrize(
    ("declaration", "body", "message"),
    [
        ("refcount r = 0;", "refcount_inc(r);", "takes a reference from zero: the object is gone"),
        (
            "refcount r: 0..2 = 2;",
            "refcount_inc(r);",
            "takes reference 3 of a refcount up to 2: a leak, or the bound is too small",
        ),
        (
            "refcount r: 0..2 = 2;",
            "refcount_inc_not_zero(r);",
            "takes reference 3 of a refcount up to 2: a leak, or the bound is too small",
        ),
        (
            "refcount r;",
            "refcount_dec(r);",
            "drops the last reference by refcount_dec, which frees nothing: use refcount_dec_and_test",
        ),
        ("refcount r = 0;", "refcount_dec(r);", "puts a reference of a refcount that is zero (underflow)"),
        (
            "refcount r = 0;",
            "refcount_dec_and_test(r);",
            "puts a reference of a refcount that is zero (underflow)",
        ),
        ("refcount r owned;", "refcount_dec_and_test(r);", "puts a reference that it does not hold"),
    ],
)
def test_misuse_of_a_refcount_is_an_error_step(declaration: str, body: str, message: str) -> None:
    (finding,) = checked(f"model misuse; {declaration} thread a {{ {body} }}").violations
    said = finding.message.partition("`: ")[2]
    assert (finding.check, said) == ("lock_rules", message)


def test_the_bound_is_the_number_of_threads_unless_it_is_declared() -> None:
    text = "model bound; refcount r; thread a { refcount_inc(r); } thread b { refcount_inc(r); }"
    said = {finding.message.partition("`: ")[2] for finding in checked(text).violations}
    assert said == {"takes reference 3 of a refcount up to 2: a leak, or the bound is too small"}


def test_setting_it_outside_its_bound_leaves_its_range() -> None:
    assert agreed("model outside; refcount r: 0..2 = 1; thread a { refcount_set(r, 3); }") == {"range"}


def test_the_results_of_the_verbs_are_those_of_the_kernel() -> None:
    text = """
        model results; refcount r: 0..3 = 1;
        thread a {
            var got: bool;
            got = refcount_inc_not_zero(r); assert(got && refcount_read(r) == 2);
            got = refcount_dec_and_test(r); assert(!got && refcount_read(r) == 1);
            got = refcount_dec_and_test(r); assert(got && refcount_read(r) == 0);
            got = refcount_inc_not_zero(r); assert(!got && refcount_read(r) == 0);
            refcount_set(r, 3);
            refcount_dec(r); assert(refcount_read(r) == 2);
        }
    """
    assert agreed(text) == set()


LOOKUP = """
model lookup;
refcount r = 1;
var alive: bool = true marked "memory that is freed at zero";
thread remover {{ if (refcount_dec_and_test(r)) {{ alive = false; }} }}
thread user {{ {take} assert(alive); if (refcount_dec_and_test(r)) {{ alive = false; }} {end} }}
"""


def test_a_look_up_without_protection_takes_from_zero() -> None:
    assert agreed(LOOKUP.format(take="refcount_inc(r);", end="")) == {"lock_rules"}


def test_a_look_up_that_may_fail_does_not() -> None:
    assert agreed(LOOKUP.format(take="if (refcount_inc_not_zero(r)) {", end="}")) == set()


def test_a_reference_that_is_owned_and_not_put_is_found() -> None:
    text = "model leak; refcount r = 1 {}; thread a {{ refcount_inc(r); }} thread b {{ skip; }}"
    assert agreed(text.format("owned")) == {"lock_rules"}
    assert agreed(text.format("")) == set()


def test_only_its_holder_puts_an_owned_reference() -> None:
    text = """
        model handed; refcount r: 0..3 = 1 {};
        var given: bool marked;
        thread a {{ refcount_inc(r); given = true; }}
        thread b {{ await(given); refcount_dec(r); }}
    """
    assert agreed(text.format("owned")) == {"lock_rules"}
    assert agreed(text.format("")) == set()


def test_who_sets_an_owned_count_holds_that_many() -> None:
    text = "model made; refcount r = 0 owned; thread a { refcount_set(r, 1); refcount_inc(r); refcount_dec(r); %s }"
    assert agreed(text.replace("= 0", ": 0..2 = 0") % "refcount_dec_and_test(r);") == set()
    assert agreed(text.replace("= 0", ": 0..2 = 0") % "") == {"lock_rules"}


WAITING = """
model waiting;
mutex m;
refcount pages: 0..2 = 0 {owned};
thread remover {{ mutex_lock(m); await(refcount_read(pages) == 0); mutex_unlock(m); }}
thread user {{ refcount_set(pages, 1); {body} }}
"""


@pytest.mark.parametrize("owned", ["", "owned"])
def test_waiting_for_a_reference_under_a_lock_that_its_user_wants_is_a_deadlock(owned: str) -> None:
    body = "mutex_lock(m); refcount_dec_and_test(pages); mutex_unlock(m);"
    report = checked(WAITING.format(owned=owned, body=body))
    assert names(report) == {"circular_wait"}
    assert {thread for f in found(report, "circular_wait") for thread in f.members} == {0, 1}
    assert agreed(WAITING.format(owned=owned, body=body)) == {"circular_wait"}


@pytest.mark.parametrize("owned", ["", "owned"])
def test_a_user_that_puts_its_reference_first_does_not_stop_the_remover(owned: str) -> None:
    body = "refcount_dec_and_test(pages); mutex_lock(m); mutex_unlock(m);"
    assert agreed(WAITING.format(owned=owned, body=body)) == set()


def test_waiting_for_a_reference_that_nobody_will_put_is_for_ever() -> None:
    assert names(checked("model never; refcount r = 1; thread a { await(refcount_read(r) == 0); }")) == {
        "stuck"
    }


def test_a_daemon_that_holds_a_reference_does_not_rest() -> None:
    text = """
        model rests; refcount r: 0..2 = 0 {}; var work: bool marked;
        daemon thread d {{ refcount_set(r, 1); await(work); refcount_dec_and_test(r); }}
        thread a {{ skip; }}
    """
    assert names(checked(text.format("owned"))) == {"stuck"}
    assert names(checked(text.format(""))) == set()
