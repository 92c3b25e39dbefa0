"""A plan and its preview come in; a state goes out that says what was approved. Never asks twice for the same."""

from __future__ import annotations

from collections.abc import Collection

from autodeploy.errors import ApprovalError
from autodeploy.model import Approval, DeploymentState, Plan, Preview
from autodeploy.ports import UI
from autodeploy.safeguards import check_data_loss

MACHINE = "aws:ec2:Instance"
_HARMLESS = frozenset({"same", "create", "read", "refresh", "import"})


def approve(
    state: DeploymentState, preview: Preview, ui: UI, yes: bool, allow_data_loss: Collection[str] = ()
) -> DeploymentState:
    """Show the plan and ask, unless nothing would change or it was approved before; raise ApprovalError.

    Raise PlanError for data that would be lost and is not in `allow_data_loss`: no yes is enough for that.
    """
    plan = state.plan
    assert plan is not None
    if not preview.changes:
        return state
    infra = plan.infra.digest()
    ui.show_plan(plan, preview)
    check_data_loss(preview, allow_data_loss)
    if any(change.type == MACHINE and change.operation in ("replace", "delete") for change in preview.changes):
        ui.say("the machine goes, and with it what the application left on its disk, below /var/lib/app")
    if covers(state.approval, plan, preview):
        ui.say("this plan was approved before, and is not applied to its end yet")
        return state
    if not yes and not ui.confirm("Apply this plan?"):
        raise ApprovalError(
            "the plan was not approved; nothing was created",
            "Run the same command again to be asked again, or add --yes.",
            context="Asking for approval",
        )
    return state.but(
        approval=Approval(infra=infra, operations={change.urn: change.operation for change in preview.changes})
    )


def covers(given: Approval | None, plan: Plan, preview: Preview) -> bool:
    """Say whether an approval is of this plan, and what is still to do for it no worse than what it was given for.

    What an earlier run began may now be an update of what was to be created; nothing may be deleted or replaced
    that the approval did not say so of.
    """
    if given is None or given.infra != plan.infra.digest():
        return False
    for change in preview.changes:
        agreed = given.operations.get(change.urn)
        began = agreed == "create" and change.operation == "update"
        if change.operation != agreed and not began and not (agreed and change.operation in _HARMLESS):
            return False
    return True
