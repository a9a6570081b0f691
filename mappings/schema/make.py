#!/usr/bin/env python3
"""Writes aws.json, the compact schema of the Terraform AWS provider that the mappings are checked against.

  make.py SCHEMA_5.json [SCHEMA_6.json] > aws.json

SCHEMA_5.json  `terraform providers schema -json` of hashicorp/aws 5.100.0 (kinds, computed, sensitive)
SCHEMA_6.json  what ../shared/mapping/schema.py reads out of the package cdktn-provider-aws 25.8.1 (provider 6.69.1): names that
               provider 6 added

One line a type: {"attribute": KIND}. KIND is a text `TYPE[/FLAGS]` or, for a block or an object, a map of its own with the entry
"*": `NESTING[/FLAGS]`.
  TYPE     s string, n number, b bool, d anything; l?, t?, m? a list, a set, a map of those
  NESTING  l list, t set, 1 single, m map
  FLAGS    c computed only, o optional and computed, x sensitive
"""
import json, sys

SIMPLE = {"string": "s", "number": "n", "bool": "b", "dynamic": "d"}
OUTER = {"list": "l", "set": "t", "map": "m"}


def flags(a):
    f = "c" if a.get("computed") and not a.get("optional") else "o" if a.get("computed") else ""
    return f + ("x" if a.get("sensitive") else "")


def kind(t, f):
    tail = "/" + f if f else ""
    if isinstance(t, str):
        return SIMPLE[t] + tail
    outer, inner = t
    if outer == "object":
        return {"*": "1" + tail, **{k: kind(v, "") for k, v in sorted(inner.items())}}
    if isinstance(inner, str):
        return OUTER[outer] + SIMPLE[inner] + tail
    if inner[0] == "object":
        return {"*": OUTER[outer] + tail, **{k: kind(v, "") for k, v in sorted(inner[1].items())}}
    return "d" + tail  # a list of lists: rare, never mapped


def block(b):
    out = {}
    for name, a in b.get("attributes", {}).items():
        if "nested_type" in a:
            n = a["nested_type"]
            inner = block({"attributes": n["attributes"]})
            mode = {"list": "l", "set": "t", "single": "1", "map": "m"}[n["nesting_mode"]]
            f = flags(a)
            out[name] = {"*": mode + ("/" + f if f else ""), **inner}
        else:
            out[name] = kind(a["type"], flags(a))
    for name, b2 in b.get("block_types", {}).items():
        mode = {"list": "l", "set": "t", "single": "1", "group": "1", "map": "m"}[b2["nesting_mode"]]
        out[name] = {"*": mode, **block(b2["block"])}
    return dict(sorted(out.items()))


def six(attrs):
    out = {}
    for name, a in attrs.items():
        f = {"c": "/c", "oc": "/o"}.get(a.get("m"), "")
        if a.get("n"):
            out[name] = {"*": {"list": "l", "set": "t", "map": "m"}.get(a.get("k"), "1") + f, **six(a["n"])}
        else:
            s = {"string": "s", "number": "n", "boolean": "b"}.get(str(a.get("s", "string")).replace("List", "").replace("Map", ""), "s")
            out[name] = {"list": "l", "set": "t", "map": "m"}.get(a.get("k"), "") + s + f
    return dict(sorted(out.items()))


def prune(t, depth):
    """Deep trees of a few types (WAF statements, dashboards) are cut: no mapping goes there."""
    return {k: prune(v, depth - 1) if isinstance(v, dict) and depth else ("d" if isinstance(v, dict) else v) for k, v in t.items()}


def merge(a, b):
    for k, v in b.items():
        if k == "*":
            continue
        if k not in a:
            a[k] = v
        elif isinstance(a[k], dict) and isinstance(v, dict):
            merge(a[k], v)
    return a


five = next(iter(json.load(open(sys.argv[1]))["provider_schemas"].values()))["resource_schemas"]
types = {t: block(s["block"]) for t, s in five.items()}
if len(sys.argv) > 2:
    for t, attrs in json.load(open(sys.argv[2])).items():
        types[t] = merge(types.get(t, {}), six(attrs))
types = {t: prune(s, 2) if len(json.dumps(s)) > 30000 else s for t, s in types.items()}
print("{")
print(",\n".join(f"{json.dumps(t)}:{json.dumps(types[t], separators=(',', ':'))}" for t in sorted(types)))
print("}")
