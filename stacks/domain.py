"""A name of the user's own in a hosted zone of the account: certificate, proof of the domain, address records."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

TTL_SECONDS = 300
MOST_MINUTES = "30m"
"""How long AWS may take to see the proof; a zone that the domain is not delegated to never shows it."""


class Domain(pulumi.ComponentResource):
    """`certificate_arn` is known once AWS has issued the certificate: a listener takes none before.

    No record takes the place of one that is there already: it would be somebody's.
    """

    def __init__(
        self, name: str, domain: str, zone_id: str, label: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("autodeploy:balancer:Domain", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._domain = domain
        self._zone_id = zone_id
        certificate = aws.acm.Certificate(
            "domain", domain_name=domain, validation_method="DNS", tags={"Name": label}, opts=self._child
        )
        asked = certificate.domain_validation_options[0]
        proof = aws.route53.Record(
            "domain-proof",
            zone_id=zone_id,
            name=asked.resource_record_name,
            type=asked.resource_record_type,
            records=[asked.resource_record_value],
            ttl=TTL_SECONDS,
            opts=self._child,
        )
        patient = pulumi.ResourceOptions(parent=self, custom_timeouts=pulumi.CustomTimeouts(create=MOST_MINUTES))
        validation = aws.acm.CertificateValidation(
            "domain", certificate_arn=certificate.arn, validation_record_fqdns=[proof.fqdn], opts=patient
        )
        self.certificate_arn = validation.certificate_arn
        self.register_outputs({"certificateArn": self.certificate_arn})

    def lead_to(self, balancer: aws.lb.LoadBalancer) -> None:
        """Declare the record that leads the name to the balancer; no AAAA, for the balancer has no IPv6 address."""
        aws.route53.Record(
            "domain-ipv4",
            zone_id=self._zone_id,
            name=self._domain,
            type="A",
            aliases=[
                aws.route53.RecordAliasArgs(
                    name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=False
                )
            ],
            opts=self._child,
        )
