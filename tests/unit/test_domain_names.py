"""Domains: kept as DNS has them; what is none is refused before anything is built."""

from __future__ import annotations

import pytest

from autodeploy.settings import domain_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Shop.Example.com", "shop.example.com"),
        ("shop.example.com.", "shop.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a" * 60 + ".com", "a" * 60 + ".com"),
        ("example.co.uk", "example.co.uk"),
        ("shop.example.co.uk", "shop.example.co.uk"),
        ("somebody.github.io", "somebody.github.io"),
        ("city.kawasaki.jp", "city.kawasaki.jp"),
        ("食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("shop.internal", "shop.internal"),
    ],
)
def test_a_domain_name(text: str, expected: str) -> None:
    assert domain_name(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("*.example.com", "stands for many"),
        ("com", "public suffix"),
        ("COM.", "public suffix"),
        ("co.uk", "public suffix"),
        ("github.io", "public suffix"),
        ("c.kawasaki.jp", "public suffix"),
        ("公司.cn", "public suffix"),
        ("localhost", "public suffix"),
        ("192.0.2.7", "is an address"),
        ("a..example", "no domain name"),
        ("-a.example.com", "no domain name"),
        ("a_b.example.com", "no domain name"),
        ("https://shop.example.com", "no domain name"),
        ("shop.example.com/x", "no domain name"),
        ("x" * 64 + ".com", "no domain name"),
        ("a" * 61 + ".com", "longer than the 64"),
        ("", "no domain name"),
    ],
)
def test_what_is_no_domain_name(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        domain_name(text)
