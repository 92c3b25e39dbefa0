"""Which deployment a wish means: name, target, account and region come in, the id of one ledger goes out.

Never touches the account; asks before a deployment changes what it is a deployment of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from autodeploy.errors import ApprovalError, StateError
from autodeploy.model import DeploymentState, Plan, Request, Target
from autodeploy.model.repository import RepositoryUrl
from autodeploy.naming import new_deployment_id, slug
from autodeploy.ports import UI, Clock, Cloud, Store


class Wish(NamedTuple):
    """What the user asked for, besides URL and description. `approve` is --yes, `keep` that nothing is taken back.

    `run_tests`: the build is done again, for its tests. `repair_drift`: what stands is looked at, and planned again.
    `draw` gets the plan before anybody is asked about it.
    """

    target: Target
    name: str | None = None
    request: Request = Request()
    new: bool = False
    approve: bool = False
    keep: bool = False
    run_tests: bool = False
    repair_drift: bool = False
    draw: Callable[[Plan], None] | None = None


def living(store: Store, target: Target | None, name: str | None, url: RepositoryUrl) -> list[DeploymentState]:
    """Return what is there of a name (default: the repository's) on a target, in all accounts and regions."""
    found = store.list(slug(name or url.name))
    return [state for state in found if state.target == target and state.status != "rolled_back"]


def find_or_begin(
    wish: Wish,
    url: RepositoryUrl,
    description: str,
    cloud: Cloud,
    store: Store,
    clock: Clock,
    new_token: Callable[[], str],
) -> str:
    """Return the id of the deployment of this identity, begun when there is none; two runs at once get one."""
    facts, epoch = cloud.facts(), cloud.account_epoch()
    with store.lock_home("find or begin a deployment"):
        for state in () if wish.new else living(store, wish.target, wish.name, url):
            if (state.account_id, state.region) == (facts.account_id, facts.region):
                return state.deployment_id
        name, now = slug(wish.name or url.name), clock.now()
        begun = DeploymentState(
            deployment_id=new_deployment_id(name, now, new_token()),
            status="pending",
            repo_url=url.text,
            description=description,
            created_at=now,
            updated_at=now,
            region=facts.region,
            name=name,
            target=wish.target,
            account_id=facts.account_id,
            account_epoch=epoch,
            request=wish.request,
        )
        store.save(begun)
        return begun.deployment_id


def same_epoch(state: DeploymentState, cloud: Cloud) -> None:
    """Raise StateError where the account that the deployment lives in is there no more."""
    if state.account_epoch != cloud.account_epoch():
        raise StateError(
            f"{state.deployment_id} lived in an emulated account that ended when the local daemon did",
            "Clear what is left of it: autodeploy local reset",
            context="Comparing the ledger with the account",
        )


def let_replace(wish: Wish, state: DeploymentState, url: RepositoryUrl, ui: UI) -> None:
    """Return where the deployment may hold `url` from now on: it does, or somebody wants it; else ApprovalError."""
    before, now = (text.rstrip("/").removesuffix(".git") for text in (state.repo_url, url.text))
    if state.tech_stack is None or before == now:
        return
    change = f"{state.deployment_id} is of {state.repo_url}"
    if wish.approve:
        ui.say(f"{change}; it becomes {url.text}")
        return
    refusal = ApprovalError(
        f"{change}, not of {url.text}; nothing was changed",
        "Add --new or --name NAME to make another deployment, or --yes to replace what this one runs.",
        context="Comparing the repository with the deployment's",
    )
    try:
        agreed = ui.confirm(f"{change}. Replace it by {url.text}?")
    except ApprovalError as err:
        raise refusal from err
    if not agreed:
        raise refusal
