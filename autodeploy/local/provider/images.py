"""The local target's machine images: AMI ids to base images, and the file that makes the emulator know them."""

from __future__ import annotations

import json
from pathlib import Path

from autodeploy.model import BaseImage

AMIS: dict[str, BaseImage] = {"ami-0debian12local00": "debian-12", "ami-0debian13local00": "debian-13"}
_OWNER = "136693071363"
"""Debian's account, https://wiki.debian.org/Cloud/AmazonEC2Image."""


def amis_file(path: Path) -> None:
    """Write the file for MOTO_AMIS_PATH; the variable must be set before moto is imported."""
    images = [
        {
            "ami_id": ami,
            "name": f"{image}-amd64-local",
            "description": f"AutoDeploy local target, {image}",
            "owner_id": _OWNER,
            "public": True,
            "architecture": "x86_64",
            "virtualization_type": "hvm",
            "hypervisor": "xen",
            "image_type": "machine",
            "image_location": f"local/{image}",
            "root_device_name": "/dev/xvda",
            "root_device_type": "ebs",
            "state": "available",
            "sriov": "simple",
            "creation_date": "2025-01-01T00:00:00.000Z",
        }
        for ami, image in AMIS.items()
    ]
    path.write_text(json.dumps(images, indent=2), "utf-8")
