"""Every configuration key is read by a rule, or is there to be shown, for a reason that stands here."""

import ast
from functools import cache
from pathlib import Path

import pytest

import engine
import machines
from engine.station_file import load
from machines.vocabulary.keys import Access, Keys

REPORTED_ONLY = {
    "connector_phase_rotation": "tells the Central System how the installer wired the phases; no rule depends on it",
    "connector_phase_rotation_max_length": "enforced by items_max of ConnectorPhaseRotation",
    "get_configuration_max_keys": "decision K2: a request for more keys is answered all the same",
    "meter_values_aligned_data_max_length": "enforced by items_max of MeterValuesAlignedData",
    "meter_values_sampled_data_max_length": "enforced by items_max of MeterValuesSampledData",
    "number_of_connectors": "follows from [[connectors]], which the rules read",
    "stop_txn_aligned_data_max_length": "enforced by items_max of StopTxnAlignedData",
    "stop_txn_sampled_data_max_length": "enforced by items_max of StopTxnSampledData",
    "supported_feature_profiles_max_length": "enforced by items_max of SupportedFeatureProfiles",
}
"""Attributes that no rule reads, and why they may be declared."""

HOLDERS = {"keys", "_keys", "defaults", "before"}
"""What a value of type Keys is called in the code."""


def _is_keys(node):
    """Whether the expression ``node`` is a value of type Keys, by its name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in HOLDERS
    return False


@cache
def read_attributes():
    """The attributes of Keys that some code reads."""
    found = set()
    for package in (machines, engine):
        for file in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and _is_keys(node.value):
                    found.add(node.attr)
    return found & set(Keys.__struct_fields__)


@pytest.mark.parametrize("attribute", Keys.__struct_fields__)
def test_every_key_is_read_or_there_for_a_reason(attribute):
    """Exactly one of both: a reason that is no longer true fails too."""
    is_read = attribute in read_attributes()
    assert is_read != (attribute in REPORTED_ONLY), (
        f"{attribute} is {'read' if is_read else 'read by nobody'}"
    )


def test_every_reason_is_about_a_key():
    assert set(REPORTED_ONLY) <= set(Keys.__struct_fields__)


def test_only_phase_rotation_may_be_written_without_an_effect():
    """A key that can be changed and changes nothing would be a promise that nobody keeps."""
    writable = {rule.attribute for rule in load("full").keys.rules if rule.access is not Access.READ}
    assert writable & set(REPORTED_ONLY) == {"connector_phase_rotation"}
