"""JSON Patch. https://www.rfc-editor.org/rfc/rfc6902"""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.patch import PatchError, json_patch
from hub import numbers

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~", "/", "0", ""]), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "~", "/", "0", ""]), JSON, max_size=4)
POINTERS = st.lists(st.sampled_from(["a", "b", "~0", "~1", "0", "1", "-", ""]), max_size=4).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
    optional={"from": POINTERS, "value": JSON},
)

APPENDIX_A: list[tuple[str, dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = [
    ("A.1", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ("A.2", {"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ("A.3", {"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ("A.4", {"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ("A.5", {"baz": "qux", "foo": "bar"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo", "foo": "bar"}),
    ("A.6", {"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
    (
        "A.7",
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    ("A.8", {"baz": "qux", "foo": ["a", 2]}, [{"op": "test", "path": "/foo/1", "value": 2.0}], {"baz": "qux", "foo": ["a", 2]}),
    ("A.10", {"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}], {"foo": "bar", "child": {"grandchild": {}}}),
    ("A.11", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ("A.14", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ("A.16", {"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}], {"foo": ["bar", ["abc", "def"]]}),
    ("4.3", {"a": None}, [{"op": "replace", "path": "/a", "value": 1}], {"a": 1}),
    ("4.5", {"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}, {"op": "add", "path": "/b/-", "value": 2}], {"a": [1], "b": [1, 2]}),
    ("4.1", {"a": 1}, [{"op": "add", "path": "", "value": {"b": 2}}], {"b": 2}),
]


@pytest.mark.parametrize(("section", "document", "operations", "expected"), APPENDIX_A, ids=[row[0] for row in APPENDIX_A])
def test_an_example_of_the_rfc_gives_its_result(section: str, document: Any, operations: Any, expected: Any) -> None:
    """RFC 6902 appendix A and section 4"""
    before = copy.deepcopy(document)
    assert json_patch(document, operations) == expected
    assert document == before


@pytest.mark.parametrize(
    ("operations", "fault", "operation"),
    [
        ({"op": "add"}, "malformed", None),
        ([1], "malformed", 0),
        ([{"op": "sing", "path": "/a"}], "malformed", 0),
        ([{"op": ["add"], "path": "/a", "value": 1}], "malformed", 0),
        ([{"op": "add", "path": "/a"}], "malformed", 0),
        ([{"op": "add", "path": "a", "value": 1}], "malformed", 0),
        ([{"op": "add", "path": "/a~2", "value": 1}], "malformed", 0),
        ([{"op": "add", "value": 1}], "malformed", 0),
        ([{"op": "move", "path": "/a"}], "malformed", 0),
        ([{"op": "add", "path": "/x", "value": 1}, {"op": "remove", "path": "/absent"}], "target", 1),
        ([{"op": "add", "path": "/list/3", "value": 1}], "target", 0),
        ([{"op": "add", "path": "/list/01", "value": 1}], "target", 0),
        ([{"op": "remove", "path": "/list/-"}], "target", 0),
        ([{"op": "add", "path": "/a/b/c", "value": 1}], "target", 0),
        ([{"op": "replace", "path": "/absent", "value": 1}], "target", 0),
        ([{"op": "remove", "path": ""}], "target", 0),
        ([{"op": "move", "from": "/object", "path": "/object/inner"}], "target", 0),
        ([{"op": "replace", "path": "", "value": []}], "target", None),
        ([{"op": "test", "path": "/a", "value": "other"}], "test", 0),
        ([{"op": "test", "path": "/one", "value": True}], "test", 0),
        ([{"op": "test", "path": "/a", "value": 1}] * 1_001, "limit", None),
        ([{"op": "copy", "from": "/list", "path": "/list/-"}] * 60, "limit", 17),
        ([{"op": "copy", "from": "", "path": "/copy"}] * 200, "limit", 99),
    ],
)
def test_a_patch_that_fails_says_which_operation_and_changes_nothing(operations: Any, fault: str, operation: int | None) -> None:
    """RFC 6902 section 5"""
    document = {"a": "secret", "one": 1, "list": [1, 2], "object": {"inner": {}}, "wide": list(range(20))}
    before = copy.deepcopy(document)
    with pytest.raises(PatchError) as failed:
        json_patch(document, operations)
    assert (failed.value.fault, failed.value.operation) == (fault, operation)
    assert "secret" not in str(failed.value)
    assert document == before


def test_digits_are_kept() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#decimal"""
    resource, patch = numbers.loads(b'{"value": 74.10}'), numbers.loads(b'[{"op": "add", "path": "/other", "value": 1.50}]')
    assert numbers.dumps(json_patch(resource, patch)) == b'{"value":74.10,"other":1.50}'


@given(OBJECTS, st.lists(OPERATIONS, max_size=6))
def test_any_patch_is_carried_out_or_refused_and_never_changes_what_it_was_given(document: dict[str, Any], operations: Any) -> None:
    before = json.dumps([document, operations])
    try:
        result = json_patch(document, operations)
    except PatchError:
        pass
    else:
        assert type(result) is dict
        json.dumps(result)
    assert json.dumps([document, operations]) == before


@given(OBJECTS, st.sampled_from(["x", "y/z", "~"]), JSON)
def test_what_is_added_can_be_tested_and_removed_again(document: dict[str, Any], name: str, value: Any) -> None:
    """RFC 6902 sections 4.1, 4.2 and 4.6"""
    document.pop(name, None)
    path = "/" + name.replace("~", "~0").replace("/", "~1")
    steps = [{"op": "add", "path": path, "value": value}, {"op": "test", "path": path, "value": value}, {"op": "remove", "path": path}]
    assert json_patch(document, steps) == document
