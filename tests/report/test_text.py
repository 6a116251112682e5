"""What a person reads: only what changed, the scope that a guard's release ends, who waits for whom at the end."""

from __future__ import annotations

from modelcheck.report.contents import FileReport
from modelcheck.report.notebook import file_html
from modelcheck.report.text import FINDINGS_OF_A_CHECK, file_text, scenario_text
from tests.checking import ABBA, all_checked, checked


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in scenario_text(checked(text)).splitlines()]


def test_a_deadlock_is_told_with_both_threads_both_locks_and_both_lines() -> None:
    told = lines(ABBA)
    assert "1 one test.mck:5 mutex_lock(a) +a" in told
    assert "2 two test.mck:6 mutex_lock(b) +b, waits for a, held by one" in told
    assert "one holds a, since step 1, test.mck:5" in told
    assert "two holds b, since step 2, test.mck:6" in told
    assert "two waits for a at test.mck:6: one holds it (test.mck:5)" in told
    assert "one waits for b at test.mck:5: two holds it (test.mck:6)" in told


def test_internal_variables_of_locks_are_hidden() -> None:
    assert not any(word in scenario_text(checked(ABBA)) for word in ("owner", "a.", "readers"))


def test_a_lock_with_modes_says_which() -> None:
    told = lines(
        "model m; percpu_rwsem s; thread t { percpu_down_read(s); percpu_up_read(s); assert(false); }"
    )
    assert "1 t test.mck:1 percpu_down_read(s) +s:read" in told
    assert "2 t test.mck:1 percpu_up_read(s) -s:read" in told


def test_the_two_steps_of_a_writer_that_need_not_wait_are_one_line() -> None:
    told = lines(
        "model m; percpu_rwsem s; thread t { percpu_down_write(s); percpu_up_write(s); assert(false); }"
    )
    assert "1-2 t test.mck:1 percpu_down_write(s) +s:write" in told


def test_a_writer_that_waits_is_told_step_by_step() -> None:
    told = lines("""model m; percpu_rwsem s;
        thread reader { percpu_down_read(s); percpu_down_read(s); }
        thread writer { percpu_down_write(s); }""")
    assert any(line.startswith("2 writer") and "waits for s, held by reader" in line for line in told)
    assert "writer has announced itself for s:write, since step 2, test.mck:3" in told


def test_a_guard_s_release_shows_its_line_and_the_line_that_left() -> None:
    told = lines("""model m; mutex l; var x: 0..3 guarded_by l;
        op f() {
            guard(mutex)(l);
            x = 1;
            return;
        }
        thread t { f(); assert(false); }""")
    assert "3 t test.mck:3 f: mutex_unlock(l) (left at line 5) -l" in told


def test_dead_locals_are_hidden_and_live_ones_shown() -> None:
    told = lines("""model m; var x: 0..3 marked;
        thread t { var live: 0..3; var dead: 0..3; live = 2; dead = 3; x = live; assert(x == 0); }""")
    assert any(line.endswith("live = 2 t.live=2") for line in told)
    assert any(line.endswith("dead = 3") for line in told)


def test_choices_are_told() -> None:
    told = lines("""model m; var x: 0..3 marked;
        thread t { choose y: 0..3; either { x = y; } or { skip; } assert(x != 2); }""")
    assert any(line.endswith("choose y: 0..3 t.y=2") for line in told)
    assert any("takes branch 1" in line for line in told)
    told = lines("model m; thread t { choose y: 0..3; assert(y != 0); }")
    assert any(line.endswith("chooses 0") for line in told)


def test_the_values_of_a_for_are_told() -> None:
    told = lines("model m; var x: 0..3 marked; thread t { for (i: 0 .. 1) { x = i; } assert(x == 0); }")
    assert any("x = i [i = 1]" in line for line in told)


def test_events_are_told() -> None:
    told = lines("model m; thread t { emit hello(3); assert(false); }")
    assert any("emits hello(3)" in line for line in told)


def test_what_init_chose_is_told() -> None:
    told = lines("model m; var x: 0..3 marked; init { choose y: 0..3; x = y; } thread t { assert(x != 2); }")
    assert "init: x=2" in told


def test_an_error_before_the_first_step_is_told() -> None:
    told = lines("model m; var x: 0..1 marked; init { choose y: 1..2; x = y; } thread t { skip; }")
    assert any("before the first step" in line for line in told)


def test_the_values_that_an_invariant_reads_are_told() -> None:
    told = lines("model m; var x: 0..3 marked; invariant low: x < 2; thread t { x = 1; x = 2; }")
    assert "violation MC120 invariant `low`: it does not hold: x < 2" in told
    assert "in the last state: x=2" in told


def test_a_violation_in_the_initial_state_has_no_steps() -> None:
    told = lines("model m; var x: 0..3 marked; invariant low: x > 0; thread t { x = 1; }")
    assert "in the initial state" in told


def test_a_thread_that_waits_for_a_condition_says_who_could_end_it() -> None:
    told = lines("""model m; mutex l; var done: bool marked;
        thread one { mutex_lock(l); await(done); mutex_unlock(l); }
        thread two { mutex_lock(l); done = true; mutex_unlock(l); }""")
    assert (
        "one waits for await(done) at test.mck:2: only two can still end the wait, by done = true at test.mck:3"
        in told
    )


def test_a_thread_that_nobody_can_wake_says_so() -> None:
    told = lines("model m; var go: bool marked; thread t { skip; await(go); }")
    assert "t waits for await(go) at test.mck:1: nobody is left to end the wait" in told
    assert "1 state can follow, and it is so in all of them" in told


def test_a_daemon_at_rest_is_told_as_such() -> None:
    told = lines("""model m; var go: bool marked; var x: 0..3 marked;
        daemon thread rests { await(go); }
        thread t { x = 1; assert(x == 0); }""")
    assert "rests rests at test.mck:2: await(go)" in told


def test_of_many_findings_of_a_check_the_rest_is_counted() -> None:
    bodies = "\n".join(f"var x{n}: 0..3; thread a{n} {{ x{n} = 1; }}" for n in range(3))
    writes = "\n".join(f"x{n} = 1;" for n in range(3))
    report = checked(f"model m;\n{bodies}\nthread b {{\n{writes}\n{writes}\n{writes}\n}}")
    assert len(report.violations) > FINDINGS_OF_A_CHECK
    assert f"and {len(report.violations) - FINDINGS_OF_A_CHECK} more of race" in scenario_text(report)


def test_a_model_that_holds_says_so_in_its_first_line() -> None:
    report = checked("model fine; param N: 1..3 = 2; thread t { skip; }")
    assert scenario_text(report).startswith("fine (N=2): holds\n")


def test_quiet_is_the_first_line_alone() -> None:
    text = file_text(FileReport("abba.mck", (checked(ABBA),)), quiet=True)
    assert text == "abba.mck: abba: violated: circular_wait and lock_order"


def test_a_notebook_shows_the_same_text() -> None:
    html = file_html(FileReport("abba.mck", (checked(ABBA),)))
    assert "<strong>abba.mck: abba: violated: circular_wait and lock_order</strong>" in html
    assert "mutex_lock(a)" in html
    assert checked("model m; thread t { skip; }")._repr_html_().startswith("<div")


def test_a_warning_about_the_text_is_told_once_for_all_scenarios() -> None:
    text = """model m; var x: 0..3 marked;
        thread t { x = (x + x) % 3; }
        scenario one { } scenario two { }"""
    told = file_text(FileReport("test.mck", all_checked(text)))
    assert told.count("warning MC070") == 1


def test_checks_that_a_limit_left_open_share_a_line() -> None:
    told = scenario_text(checked(ABBA, states=3))
    assert "unknown: circular_wait, stuck, cannot_finish," in told
    assert "(limit of 3 states)" in told


def test_properties_that_a_limit_left_open_share_a_line() -> None:
    told = scenario_text(
        checked(
            ABBA
            + "var x: 0..3 marked; invariant i: x < 1; invariant j: x < 2; reachable r: x == 3;"
            + "thread t { x = 0; x = 0; }",
            states=3,
        )
    )
    assert "unknown: invariant i, j (limit of 3 states)" in told
    assert "unknown: reachable r (limit of 3 states)" in told


def test_a_test_says_which_way_it_went() -> None:
    told = lines("""model m; var x: 0..3 marked;
        thread t {
            if (x == 0) { x = 1; }
            while (x == 1) { x = 2; }
            if (x == 3) { x = 1; } else { skip; }
            assert(false);
        }""")
    assert "1 t test.mck:3 if (x == 0) true" in told
    assert "5 t test.mck:4 while (x == 1) false" in told
    assert "6 t test.mck:5 if (x == 3) false" in told


def test_a_test_that_leads_to_the_same_place_either_way_says_nothing() -> None:
    told = lines("model m; var x: 0..3 marked; thread t { if (x == 0) { } assert(false); }")
    assert any(line.endswith("if (x == 0)") for line in told)


def test_a_file_without_a_model_line_goes_by_its_name() -> None:
    assert scenario_text(checked("thread t { skip; }")).startswith("test.mck: holds\n")


def test_a_lock_of_a_finished_thread_is_told_as_kept() -> None:
    told = lines("model m; mutex l; thread a { mutex_lock(l); } thread b { mutex_lock(l); mutex_unlock(l); }")
    assert "b waits for l at test.mck:1: a kept it and has finished" in told


def test_a_negated_test_of_a_call_says_which_way_the_whole_condition_went() -> None:
    told = lines("""model m; mutex l; semaphore s; op f() -> bool { return true; }
        thread t {
            if (!mutex_trylock(l)) { skip; }
            if (!f()) { skip; }
            if (down_trylock(s)) { skip; }
            if (!down_trylock(s)) { skip; }
            assert(false);
        }""")
    assert "1 t test.mck:3 if (!mutex_trylock(l)) +l, false, t.f.return=true" in told
    assert "2 t test.mck:4 if (!f()) false" in told
    assert "3 t test.mck:5 if (down_trylock(s)) false, s=0" in told
    assert "4 t test.mck:6 if (!down_trylock(s)) false" in told
