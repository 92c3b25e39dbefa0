"""Entries of machines: key pairs, and instances that the data plane boots."""

from __future__ import annotations

import base64
from typing import Any

from autodeploy.local.dataplane import MachineOrder
from autodeploy.local.provider import limits
from autodeploy.local.provider.account import ignoring_absent, refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.images import AMIS
from autodeploy.local.provider.wire import Values


def _key_create(call: Call) -> str:
    name, material = call.inputs["keyName"], call.inputs["publicKey"].encode()
    return str(call.client("ec2").import_key_pair(KeyName=name, PublicKeyMaterial=material)["KeyName"])


def _key(call: Call, name: str) -> dict[str, Any]:
    found: dict[str, Any] = call.client("ec2").describe_key_pairs(KeyNames=[name], IncludePublicKey=True)["KeyPairs"][0]
    return found


def _key_read(call: Call, identity: str) -> Values | None:
    found = _key(call, identity)
    return {
        "arn": f"arn:aws:ec2:{call.region}:123456789012:key-pair/{identity}",
        "keyName": found["KeyName"],
        "keyPairId": found["KeyPairId"],
        "keyType": found.get("KeyType"),
        "fingerprint": found["KeyFingerprint"],
        "publicKey": found.get("PublicKey"),
    }


def _user_data(inputs: Values) -> str:
    if "userDataBase64" in inputs:
        return base64.b64decode(inputs["userDataBase64"]).decode()
    return str(inputs.get("userData", ""))


_METADATA = {
    "HttpEndpoint": "httpEndpoint",
    "HttpTokens": "httpTokens",
    "HttpPutResponseHopLimit": "httpPutResponseHopLimit",
}


def _metadata(call: Call) -> dict[str, Any]:
    options = call.inputs.get("metadataOptions") or {}
    return {parameter: options[name] for parameter, name in _METADATA.items() if name in options}


def _instance_create(call: Call) -> str:
    ec2, inputs = call.client("ec2"), call.inputs
    if inputs["ami"] not in AMIS:
        raise refusal(
            f"InvalidAMIID.NotFound: the image id '{inputs['ami']}' does not exist",
            f"The local target has {' and '.join(AMIS)}.",
        )
    _key(call, inputs["keyName"])
    given = call.given(
        ImageId="ami",
        InstanceType="instanceType",
        KeyName="keyName",
    )
    # Said in full, because the emulator would leave a card of its own making behind.
    card = {
        "DeviceIndex": 0,
        "SubnetId": inputs["subnetId"],
        "AssociatePublicIpAddress": inputs.get("associatePublicIpAddress", True),
        "DeleteOnTermination": True,
        **call.given(Groups="vpcSecurityGroupIds"),
    }
    if call.inputs.get("iamInstanceProfile"):
        given["IamInstanceProfile"] = {"Name": call.inputs["iamInstanceProfile"]}
    if options := _metadata(call):
        given["MetadataOptions"] = options
    made = ec2.run_instances(MinCount=1, MaxCount=1, UserData=_user_data(inputs), NetworkInterfaces=[card], **given)
    identity = str(made["Instances"][0]["InstanceId"])
    if inputs.get("disableApiTermination"):
        ec2.modify_instance_attribute(InstanceId=identity, DisableApiTermination={"Value": True})
    return identity


def _instance_start(call: Call, identity: str) -> None:
    network = call.client("ec2").describe_subnets(SubnetIds=[call.inputs["subnetId"]])["Subnets"][0]["VpcId"]
    order = MachineOrder(
        instance_id=identity,
        deployment_id=call.deployment_id,
        network=network,
        image=AMIS[call.inputs["ami"]],
        public_key=_key(call, call.inputs["keyName"])["PublicKey"],
        user_data=_user_data(call.inputs),
    )
    call.account.addresses[identity] = call.account.wait(call.account.plane.run_instance(order))


def _instance_read(call: Call, identity: str) -> Values | None:
    reservations = call.client("ec2").describe_instances(InstanceIds=[identity])["Reservations"]
    if not reservations:
        return None
    found = reservations[0]["Instances"][0]
    if found["State"]["Name"] in ("terminated", "shutting-down"):
        return None
    card, options = found["NetworkInterfaces"][0], found.get("MetadataOptions", {})
    address = call.account.addresses.get(identity)
    return {
        "arn": f"arn:aws:ec2:{call.region}:123456789012:instance/{identity}",
        "ami": found["ImageId"],
        "availabilityZone": found["Placement"]["AvailabilityZone"],
        "iamInstanceProfile": found.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        # The machine boots a moment after the instance is made, and is waited for.
        "instanceState": {"pending": "running"}.get(found["State"]["Name"], found["State"]["Name"]),
        "instanceType": found["InstanceType"],
        "keyName": found["KeyName"],
        "metadataOptions": {name: options[parameter] for parameter, name in _METADATA.items() if parameter in options},
        "primaryNetworkInterfaceId": card["NetworkInterfaceId"],
        "privateDns": found["PrivateDnsName"],
        "privateIp": address,
        "publicIp": address,
        "subnetId": found["SubnetId"],
        "vpcSecurityGroupIds": [group["GroupId"] for group in card["Groups"]],
    }


def _instance_update(call: Call, identity: str) -> None:
    """AWS stops and starts the machine for a new type or user data; the machine here has no size and keeps running."""
    ec2 = call.client("ec2")
    if call.changed("instanceType"):
        ec2.stop_instances(InstanceIds=[identity])
        ec2.modify_instance_attribute(InstanceId=identity, InstanceType={"Value": call.inputs["instanceType"]})
        ec2.start_instances(InstanceIds=[identity])
    if call.changed("vpcSecurityGroupIds"):
        card = call.state["primaryNetworkInterfaceId"]
        ec2.modify_network_interface_attribute(NetworkInterfaceId=card, Groups=call.inputs["vpcSecurityGroupIds"])
    if call.changed("metadataOptions") and (options := _metadata(call)):
        ec2.modify_instance_metadata_options(InstanceId=identity, **options)
    if call.changed("disableApiTermination"):
        value = {"Value": bool(call.inputs.get("disableApiTermination"))}
        ec2.modify_instance_attribute(InstanceId=identity, DisableApiTermination=value)
    if call.changed("iamInstanceProfile"):
        _associate(call, identity)


def _associate(call: Call, identity: str) -> None:
    ec2, wanted = call.client("ec2"), call.inputs.get("iamInstanceProfile")
    held = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [identity]}])
    for association in held["IamInstanceProfileAssociations"]:
        # The emulator (moto 5.2.5) goes on showing the old one when an association is replaced.
        ec2.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])
    if wanted:
        ec2.associate_iam_instance_profile(InstanceId=identity, IamInstanceProfile={"Name": wanted})


def _instance_delete(call: Call, identity: str) -> None:
    ignoring_absent(lambda: _refuse_protected(call, identity))
    ignoring_absent(lambda: call.client("ec2").terminate_instances(InstanceIds=[identity]))
    call.account.wait(call.account.plane.terminate_instance(identity))
    call.account.addresses.pop(identity, None)


def _refuse_protected(call: Call, identity: str) -> None:
    ec2 = call.client("ec2")
    held = ec2.describe_instance_attribute(InstanceId=identity, Attribute="disableApiTermination")
    if held["DisableApiTermination"]["Value"]:
        raise refusal(
            f"OperationNotPermitted: the instance '{identity}' may not be terminated",
            "Set disableApiTermination to false and deploy first.",
            "Terminating an instance",
        )


KEY_PAIR = Entry(
    "aws:ec2/keyPair:KeyPair",
    _key_create,
    _key_read,
    lambda call, identity: call.client("ec2").delete_key_pair(KeyName=identity),
    limits=lambda inputs: limits.matches(inputs, "keyName", r"[\x20-\x7e]{1,255}", "1 to 255 ASCII characters"),
    replaces=("publicKey",),
    tagged=("ec2", "keyPairId"),
    named=("keyName", 255),
)
INSTANCE = Entry(
    "aws:ec2/instance:Instance",
    _instance_create,
    _instance_read,
    _instance_delete,
    _instance_update,
    _instance_start,
    limits=limits.machine,
    replaces=("ami", "keyName", "subnetId", "availabilityZone", "associatePublicIpAddress"),
    replaces_when={"userData": "userDataReplaceOnChange", "userDataBase64": "userDataReplaceOnChange"},
    updates=(
        *("instanceType", "vpcSecurityGroupIds", "disableApiTermination", "metadataOptions", "iamInstanceProfile"),
        *("userData", "userDataBase64"),
    ),
    recorded=(
        *("userDataReplaceOnChange", "rootBlockDevice", "monitoring", "ebsOptimized"),
        *("creditSpecification", "volumeTags", "sourceDestCheck", "instanceInitiatedShutdownBehavior"),
    ),
    tagged=("ec2", "id"),
)
ENTRIES = (KEY_PAIR, INSTANCE)
