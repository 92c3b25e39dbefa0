"""The provider protocol: requests of the engine come in, the table's entries do the work in worker threads.

State is kept per connection (the peer's address): Configure on one never touches another. Work that has begun is
never cut short when the engine goes away.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi.runtime.proto import ResourceProviderServicer

from autodeploy.local.provider import configuring, lifecycle
from autodeploy.local.provider.account import Account, Configuration, refusal, translated
from autodeploy.local.provider.checking import check
from autodeploy.local.provider.diffing import Difference, difference
from autodeploy.local.provider.entry import Call
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.table import entry
from autodeploy.local.provider.wire import Properties, decode, encode

T = TypeVar("T")
_MOST_CONNECTIONS = 256


class AwsServicer(ResourceProviderServicer):
    """The `aws` provider of the local target. Method names are the protocol's."""

    def __init__(self, account: Account, pool: ThreadPoolExecutor) -> None:
        self._account = account
        self._pool = pool
        self._configurations: OrderedDict[str, Configuration] = OrderedDict()
        self._running: dict[asyncio.Future[Any], str] = {}

    def working(self) -> list[str]:
        """Return what is being done now, for living engines and dead ones."""
        return sorted(self._running.values())

    async def finish(self) -> None:
        """Wait for the work that has begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def Handshake(self, request: Any, context: Any) -> Any:
        return proto.ProviderHandshakeResponse(accept_secrets=True)

    async def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return proto.PluginInfo(version=version("pulumi-aws"))

    async def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        news = decode(request.news)
        found = await self._work(
            context, "Checking the provider", lambda: list(configuring.config_failures(news.values))
        )
        return _checked(news, found)

    async def DiffConfig(self, request: Any, context: Any) -> Any:
        olds = decode(request.old_inputs if request.HasField("old_inputs") else request.olds)
        return _answer(configuring.config_difference(olds.values, decode(request.news).values))

    async def Configure(self, request: Any, context: Any) -> Any:
        inputs = decode(request.args).values
        made = await self._work(
            context, "Configuring the aws provider", lambda: configuring.configuration(inputs, self._account)
        )
        self._configurations[context.peer()] = made
        self._configurations.move_to_end(context.peer())
        while len(self._configurations) > _MOST_CONNECTIONS:
            self._configurations.popitem(last=False)
        return proto.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Invoke(self, request: Any, context: Any) -> Any:
        await _abort(
            context,
            refusal(
                f"the local target does not emulate the function {request.tok}",
                "Pin the fact in the plan instead of asking AWS in the program.",
                "Calling a function of the aws provider",
            ),
        )

    async def Check(self, request: Any, context: Any) -> Any:
        news, olds = decode(request.news), decode(request.olds)

        def work() -> tuple[Properties, list[Failure]]:
            name = request.urn.split("::", 3)[3]
            inputs, found = check(entry(_token(request.urn)), news.values, olds.values, name, request.randomSeed)
            return Properties(inputs, news.secrets), found

        return _checked(*await self._work(context, _doing("Checking", request), work))

    async def Diff(self, request: Any, context: Any) -> Any:
        news, olds, state = decode(request.news), decode(request.old_inputs), decode(request.olds)

        def work(call: Call) -> Difference:
            made = entry(_token(request.urn))
            tags = call.tags_all if made.is_taggable else None
            return difference(made, olds.values, news.values, state.values, tags, request.ignoreChanges)

        return _answer(await self._on(context, "Comparing", request, news, state, work))

    async def Create(self, request: Any, context: Any) -> Any:
        inputs = decode(request.properties)

        def work(call: Call) -> tuple[str, Any]:
            made = entry(_token(request.urn))
            return ("", lifecycle.previewed(made, call)) if request.preview else lifecycle.create(made, call)

        identity, outputs = await self._on(context, "Creating", request, inputs, Properties(), work)
        return proto.CreateResponse(id=identity, properties=encode(outputs, inputs.secrets))

    async def Read(self, request: Any, context: Any) -> Any:
        inputs, state = decode(request.inputs), decode(request.properties)
        found = await self._on(
            context,
            "Reading",
            request,
            inputs,
            state,
            lambda call: lifecycle.read(entry(_token(request.urn)), call, request.id),
        )
        if found is None:
            return proto.ReadResponse(id="")
        secrets = inputs.secrets | state.secrets
        return proto.ReadResponse(
            id=request.id, properties=encode(found[0], secrets), inputs=encode(found[1], inputs.secrets)
        )

    async def Update(self, request: Any, context: Any) -> Any:
        inputs, state = decode(request.news), decode(request.olds)

        def work(call: Call) -> Any:
            made = entry(_token(request.urn))
            return (
                lifecycle.previewed_update(made, call) if request.preview else lifecycle.update(made, call, request.id)
            )

        outputs = await self._on(context, "Updating", request, inputs, state, work)
        return proto.UpdateResponse(properties=encode(outputs, inputs.secrets | state.secrets))

    async def Delete(self, request: Any, context: Any) -> Any:
        state = decode(request.properties)
        await self._on(
            context,
            "Deleting",
            request,
            decode(request.old_inputs),
            state,
            lambda call: lifecycle.delete(entry(_token(request.urn)), call, request.id),
        )
        return empty_pb2.Empty()

    async def _on(
        self, context: Any, verb: str, request: Any, inputs: Properties, state: Properties, work: Callable[[Call], T]
    ) -> T:
        configuration = self._configurations.get(context.peer())
        if configuration is None:
            await _abort(
                context,
                refusal("this connection was not configured", "Run the same command again.", _doing(verb, request)),
            )
        call = Call(request.urn, inputs.values, self._account, configuration, state.values)
        return await self._work(context, _doing(verb, request), lambda: work(call))

    async def _work(self, context: Any, doing: str, work: Callable[[], T]) -> T:
        """Run blocking work in a thread; it runs to its end even when the engine is gone."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        self._running[future] = doing
        future.add_done_callback(self._running.pop)
        try:
            return await asyncio.shield(future)
        except Exception as err:
            await _abort(context, translated(err, doing))


async def _abort(context: Any, error: Any) -> NoReturn:
    await context.abort(grpc.StatusCode.UNKNOWN, f"{error.message}. {error.remediation}")
    raise AssertionError("abort never returns")


def _token(urn: str) -> str:
    """Return the resource's own type, out of urn:pulumi:<stack>::<project>::<parents>$<type>::<name>."""
    return urn.split("::", 3)[2].rpartition("$")[2]


def _doing(verb: str, request: Any) -> str:
    return f"{verb} {request.urn}"


def _checked(inputs: Properties, found: Iterable[Failure]) -> Any:
    failures = [proto.CheckFailure(property=name, reason=reason) for name, reason in found]
    return proto.CheckResponse(inputs=encode(inputs.values, inputs.secrets), failures=failures)


def _answer(found: Difference) -> Any:
    return proto.DiffResponse(
        changes=proto.DiffResponse.DIFF_SOME if found.kinds else proto.DiffResponse.DIFF_NONE,
        diffs=list(found.kinds),
        replaces=list(found.replaces),
        deleteBeforeReplace=found.deletes_first,
        hasDetailedDiff=True,
        detailedDiff={
            name: proto.PropertyDiff(
                kind=proto.PropertyDiff.Kind.Value(
                    f"{kind.upper()}_REPLACE" if name in found.replaces else kind.upper()
                ),
                inputDiff=name != "tagsAll",
            )
            for name, kind in found.kinds.items()
        },
    )
