"""How often a credential may be refused before a run ends: counted once for all targets, by calls that decide."""

import pytest

from gate.core.refusals import Refusals
from gate.errors import CredentialRefused, Forbidden, NotFound, PermanentError, RouteMissing, Unauthorised
from gate.model import Order, Target, Verdict
from tests.core.fakes import JOB, OTHER, World, build, pinned, record

JOB_57 = Target(job_id=JOB, build_number=57, label="one")
OTHER_57 = Target(job_id=OTHER, build_number=57, label="two")


def refused(kind: type[PermanentError] = Unauthorised) -> CredentialRefused:
    """Return a refusal of a credential, or of a permission, that was accepted before."""
    error = CredentialRefused("HTTP 401, APIGW.0307", status=401, code="APIGW.0307")
    error.kind = kind
    return error


def worked() -> Refusals:
    """Return a count after a usable answer."""
    refusals = Refusals()
    refusals.judged(None, JOB, 0, 0)
    return refusals


def test_second_refusal_in_a_row_is_final_for_all_targets() -> None:
    """The first may pass by itself; after the second, the credential is not sent for other targets either."""
    refusals = worked()
    assert isinstance(refusals.judged(refused(), JOB, 10, 11), CredentialRefused)
    assert refusals.final is None
    assert isinstance(refusals.judged(refused(), OTHER, 12, 13), Unauthorised)
    assert isinstance(refusals.final, Unauthorised)


def test_usable_answer_between_two_refusals_makes_each_the_first() -> None:
    """Also an answer about another job, and one that says that a build does not exist."""
    refusals = worked()
    for start in (10, 20, 30):
        assert isinstance(refusals.judged(refused(), JOB, start, start + 1), CredentialRefused)
        if start == 10:
            refusals.judged(None, OTHER, 0, 0)
        else:
            refusals.judged(NotFound("no such build"), OTHER, 0, 0)
    assert refusals.final is None


def test_refusals_of_calls_that_were_under_way_together_count_once() -> None:
    """One fault of the gateway meets several; what counts is a call that began after the first refusal."""
    refusals = worked()
    for _ in range(8):
        assert isinstance(refusals.judged(refused(), JOB, 10, 11), CredentialRefused)
    assert isinstance(refusals.judged(refused(), JOB, 11.5, 12), Unauthorised)


def test_permission_is_counted_for_each_job() -> None:
    """Answers about other jobs do not count for this one, and other targets go on."""
    refusals = worked()
    assert isinstance(refusals.judged(refused(Forbidden), JOB, 10, 11), CredentialRefused)
    refusals.judged(None, OTHER, 0, 0)
    assert isinstance(refusals.judged(refused(Forbidden), OTHER, 12, 13), CredentialRefused)
    assert isinstance(refusals.judged(refused(Forbidden), JOB, 14, 15), Forbidden)
    assert refusals.final is None


@pytest.mark.parametrize("has_worked", [True, False])
def test_credential_that_never_worked_is_refused_for_good_at_once(has_worked: bool) -> None:
    """An order of one target may be refused so, too: a credential that has worked is still good then."""
    refusals = worked() if has_worked else Refusals()
    refusals.judged(Unauthorised("no"), JOB, 0, 0)
    if has_worked:
        assert refusals.final is None
    else:
        assert isinstance(refusals.final, Unauthorised)


@pytest.mark.parametrize("error", [Forbidden("no"), RouteMissing("no")], ids=["permission", "route"])
def test_other_permanent_errors_say_nothing_about_the_credential(error: PermanentError) -> None:
    """A path that is not published may be missed before anybody looks at the credential."""
    refusals = worked()
    assert isinstance(refusals.judged(refused(), JOB, 10, 11), CredentialRefused)
    refusals.judged(error, JOB, 0, 0)
    assert isinstance(refusals.judged(refused(), JOB, 12, 13), Unauthorised)


def test_wait_goes_on_after_one_refusal_and_ends_at_the_second() -> None:
    """Through the loop: the second target is not asked any more."""
    assert World(record=[record("RUNNING"), refused(), record("SUCCESS")]).verdict() is Verdict.PASSED
    world = World(pinned(), record=[record("RUNNING"), refused()])
    assert (world.verdict(), len(world.service.times("record"))) == (Verdict.UNDETERMINED, 3)


def test_refusals_of_side_channels_do_not_count() -> None:
    """Stages and log are refused again and again, while the other target's build goes on and passes."""
    running = [record("RUNNING", job=OTHER)] * 5

    def answer(job: str, number: int) -> object:
        if job == JOB:
            return record("FAILURE", number, job)
        return running.pop() if running else record("SUCCESS", number, job)

    world = World(JOB_57, OTHER_57, record=[answer], stages=[refused()], log_tail=[refused()])
    assert [outcome.verdict for outcome in world.run()] == [Verdict.FAILED, Verdict.PASSED]


def test_first_refusal_of_a_new_credential_ends_all_targets() -> None:
    """Hundreds of targets would else mean hundreds of refused requests."""
    world = World(JOB_57, OTHER_57, record=[Unauthorised("no")])
    assert [outcome.verdict for outcome in world.run()] == [Verdict.UNDETERMINED] * 2


def test_build_of_this_run_is_stopped_although_the_credential_was_refused() -> None:
    """The token's file may have a newer one by then; a refusal would change nothing any more."""
    records = [record("RUNNING", 58), refused()]
    world = World(pinned(None), order=Order(), builds=[[build()]], start=[58], stop=[True], record=records)
    (outcome,) = world.run()
    assert (outcome.verdict, len(world.service.times("stop"))) == (Verdict.UNDETERMINED, 1)
    assert "stop requested for build 58" in outcome.reason
